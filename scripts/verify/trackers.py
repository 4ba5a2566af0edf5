"""What Python reads of the runs that scripts/verify/trackers.ts has reported.

    python trackers.py serve PORT                            a Trackio server, until it is stopped
    python trackers.py read RUNS MLFLOW EXPERIMENT PROJECT   everything that was reported, as JSON
"""

import json
import math
import sys
import time
from pathlib import Path


def plain(number):
    """A number as JSON has it."""
    return number if math.isfinite(number) else str(number)


def serve(port):
    import trackio

    trackio.show(open_browser=False, block_thread=False, server_port=int(port))
    time.sleep(3600)


def events(runs):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    read = {}
    for folder in sorted(Path(runs).iterdir()):
        files = EventAccumulator(str(folder))
        files.Reload()
        tags = files.Tags()
        read[folder.name] = {
            "scalars": {tag: [[one.step, plain(one.value)] for one in files.Scalars(tag)] for tag in tags["scalars"]},
            "texts": {
                tag: [[one.step, one.tensor_proto.string_val[0].decode()] for one in files.Tensors(tag)]
                for tag in tags["tensors"]
            },
        }
    return read


def mlflow_runs(server, experiment):
    from mlflow import MlflowClient

    client = MlflowClient(server)
    runs = client.search_runs([client.get_experiment_by_name(experiment).experiment_id], order_by=["start_time ASC"])
    return [
        {
            "name": run.info.run_name,
            "status": run.info.status,
            "params": run.data.params,
            "tags": run.data.tags,
            "metrics": {
                key: [
                    [one.step, plain(one.value), one.timestamp]
                    for one in client.get_metric_history(run.info.run_id, key)
                ]
                for key in run.data.metrics
            },
        }
        for run in runs
    ]


def trackio_runs(project):
    import trackio
    from trackio.sqlite_storage import SQLiteStorage

    return [
        {
            "name": run.name,
            "config": run.config,
            "rows": [
                {key: plain(value) if isinstance(value, float) else value for key, value in row.items()}
                for row in SQLiteStorage.get_logs(project, run.name, run_id=run.id)
            ],
        }
        for run in trackio.Api().runs(project)
    ]


def read(runs, server, experiment, project):
    print(
        json.dumps(
            {
                "events": events(runs),
                "mlflow": mlflow_runs(server, experiment),
                "trackio": trackio_runs(project),
            }
        )
    )


if __name__ == "__main__":
    {"serve": serve, "read": read}[sys.argv[1]](*sys.argv[2:])

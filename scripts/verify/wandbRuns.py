# Runs of Weights & Biases in files, read by Python's wandb: wandbRuns.py FILE prints what stands in it.
import json
import sys

from wandb.proto import wandb_internal_pb2 as protocol
from wandb.sdk.internal.datastore import DataStore


def items(update):
    return {".".join(item.nested_key) or item.key: json.loads(item.value_json) for item in update}


def record(data):
    result = protocol.Record()
    result.ParseFromString(data)
    return result


def has_unknown(one):
    size = one.ByteSize()
    one.DiscardUnknownFields()
    return one.ByteSize() != size


store = DataStore()
store.open_for_scan(sys.argv[1])
records = [record(data) for data in iter(store.scan_data, None)]
found = {"numbers": [one.num for one in records]}
found["unknown"] = [one.num for one in records if has_unknown(one)]
found["history"] = [items(one.history.item) for one in records if one.HasField("history")]
found["steps"] = [one.history.step.num for one in records if one.HasField("history")]
found["summary"], found["config"] = {}, {}
for one in records:
    if one.HasField("summary"):
        found["summary"].update(items(one.summary.update))
    if one.HasField("config"):
        found["config"].update(items(one.config.update))
metrics = [one.metric for one in records if one.HasField("metric")]
found["axes"] = {one.name or one.glob_name: one.step_metric for one in metrics}
found["exits"] = [one.exit.exit_code for one in records if one.HasField("exit")]
run = next(one.run for one in records if one.HasField("run"))
found["run"] = {"id": run.run_id, "project": run.project, "name": run.display_name}
print(json.dumps(found))

"""One run of ONNX Runtime Training 1.19.2 on training artifacts: job.json -> result.json. Python's side of oursArtifacts.ts."""
import json
import os
import sys
import time

started = time.perf_counter()


def age():
    """Seconds since the process began; since this file began where the system does not say."""
    try:
        with open('/proc/self/stat') as stat, open('/proc/uptime') as uptime:
            begun = int(stat.read().rsplit(')', 1)[1].split()[19]) / os.sysconf('SC_CLK_TCK')
            return float(uptime.read().split()[0]) - begun
    except OSError:
        return 0.0


before = age() - (time.perf_counter() - started)

with open(sys.argv[1], encoding='utf8') as file:
    job = json.load(file)

import numpy as np
import onnxruntime
from onnxruntime.training.api import CheckpointState, Module, Optimizer


def clock():
    return before + time.perf_counter() - started


def peak():
    try:
        with open('/proc/self/status') as file:
            return next(int(line.split()[1]) for line in file if line.startswith('VmHWM:')) * 1024
    except OSError:
        import resource
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == 'darwin' else 1024)


with open(job['batches'], encoding='utf8') as file:
    given = json.load(file)
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = job['threads']
folder = job['artifacts']
state = CheckpointState.load_checkpoint(f'{folder}/checkpoint')
module = Module(f'{folder}/training_model.onnx', state, f'{folder}/eval_model.onnx', 'cpu', options)
optimizer = Optimizer(f'{folder}/optimizer_model.onnx', module)
optimizer.set_learning_rate(job['rate'])
module.train()
names = module.input_names()
step_ends, losses = [], []
for batch in given['batches']:
    columns = [np.array(batch[name]['data'], np.int64).reshape(batch[name]['shape']) for name in names]
    losses.append(float(module(*columns)))
    optimizer.step()
    module.lazy_reset_grad()
    step_ends.append(clock())
result = {
    'stepEnds': step_ends, 'lengths': given['lengths'], 'losses': losses, 'memory': [], 'peakMemory': peak(),
    'versions': {'python': sys.version.split()[0], 'onnxruntime-training': onnxruntime.__version__},
    'importToFirstStep': step_ends[0] - before,
}
with open(job['result'], 'w', encoding='utf8') as file:
    json.dump(result, file)

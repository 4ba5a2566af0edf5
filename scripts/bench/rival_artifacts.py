"""One run of ONNX Runtime Training 1.19.2 on training artifacts: job.json -> result.json. Python's side of oursArtifacts.ts."""
import json

from measured import clock, job, write_result

import numpy as np
import onnxruntime
from onnxruntime.training.api import CheckpointState, Module, Optimizer

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
write_result(step_ends, given['lengths'], losses, [], {'onnxruntime-training': onnxruntime.__version__})

"""Trains artifacts in the official runtime (onnxruntime-training-cpu 1.19.2), and prints what it computed as JSON.

    python trainOfficial.py FOLDER BATCHES SAVED [PREFIX [CHECKPOINT]]

BATCHES is a JSON file: `rates` (one number a step), `accumulate` (batches of an update), `batches` and `evaluation` (columns in the order of the
graph's inputs: shape, dtype, data). SAVED is where the checkpoint of afterwards is written.
"""
import json, sys
import numpy as np
from onnxruntime.training.api import CheckpointState, Module, Optimizer

folder, batches, saved = sys.argv[1:4]
prefix = sys.argv[4] if len(sys.argv) > 4 else ""
checkpoint = sys.argv[5] if len(sys.argv) > 5 else f"{folder}/{prefix}checkpoint"
plan = json.load(open(batches))


def columns(batch):
    return [np.array(c["data"], c["dtype"]).reshape(c["shape"]) for c in batch]


def loss_of(result):
    return float(result[0] if isinstance(result, (list, tuple)) else result)


state = CheckpointState.load_checkpoint(checkpoint)
module = Module(f"{folder}/{prefix}training_model.onnx", state, f"{folder}/{prefix}eval_model.onnx", device="cpu")
optimizer = Optimizer(f"{folder}/{prefix}optimizer_model.onnx", module)
losses = []
for i, batch in enumerate(plan["batches"]):
    optimizer.set_learning_rate(plan["rates"][i])
    module.train()
    losses.append(loss_of(module(*columns(batch))))
    if (i + 1) % plan["accumulate"] == 0:
        optimizer.step()
        module.lazy_reset_grad()
module.eval()
evaluation = loss_of(module(*columns(plan["evaluation"])))
CheckpointState.save_checkpoint(state, saved, include_optimizer_state=True)
parameters = {name: p.data.ravel().tolist() for name, p in state.parameters}
print(json.dumps({"losses": losses, "evaluation": evaluation, "parameters": parameters}))

"""Trains artifacts in ordinary operators in plain ONNX Runtime, and prints what it computed as JSON, as trainOfficial.py does.

    python trainPortable.py FOLDER BATCHES PARAMETERS

PARAMETERS is a JSON file: the parameters' values at the start, by name.
"""
import json, sys
import numpy as np, onnxruntime

folder, batches, parameters = sys.argv[1:4]
plan = json.load(open(batches))


def array(c):
    return np.array(c["data"], c["dtype"]).reshape(c["shape"])


def session(name):
    return onnxruntime.InferenceSession(f"{folder}/{name}", providers=["CPUExecutionProvider"])


def run(graph, values):
    names = [o.name for o in graph.get_outputs()]
    return dict(zip(names, graph.run(names, {i.name: values[i.name] for i in graph.get_inputs()})))


training, evaluation, optimizer = map(session, ["training_model.onnx", "eval_model.onnx", "optimizer_model.onnx"])
values = {name: array(p) for name, p in json.load(open(parameters)).items()}
known = set(values)
shapes = {i.name: i.shape for i in [*training.get_inputs(), *optimizer.get_inputs()]}
values |= {name: np.zeros(shape, np.float32) for name, shape in shapes.items() if ".accumulation." in name or ".momentum" in name}
columns = [i.name for i in evaluation.get_inputs() if i.name not in known]
reset, step, losses = True, 0, []
for i, batch in enumerate(plan["batches"]):
    values |= {name: array(c) for name, c in zip(columns, batch)}
    values |= {"lazy_reset_grad": np.array([reset])}
    results = run(training, values)
    losses.append(float(results[training.get_outputs()[0].name]))
    values |= {k.replace(".accumulation.out", ".accumulation.buffer") if "_grad." in k else k.removesuffix(".accumulation.out"): v
               for k, v in results.items() if k.endswith(".accumulation.out")}
    reset = (i + 1) % plan["accumulate"] == 0
    if reset:
        step += 1
        values |= {"learning_rate": np.array([plan["rates"][i]], np.float32), "step": np.array([step], np.int64)}
        values |= {k.removesuffix(".out"): v for k, v in run(optimizer, values).items()}
values |= {name: array(c) for name, c in zip(columns, plan["evaluation"])}
result = float(run(evaluation, values)[evaluation.get_outputs()[0].name])
print(json.dumps({"losses": losses, "evaluation": result, "parameters": {n: values[n].ravel().tolist() for n in known}}))

# What Python's pipelines answer: pipelines.py FILE reads folders with calls, and prints the answers.
import json
import sys
import warnings

import torch
import transformers

transformers.logging.set_verbosity_error()
warnings.filterwarnings("ignore")
cut = {
    "text-classification": {"truncation": True},
    "fill-mask": {"tokenizer_kwargs": {"truncation": True}},
    "feature-extraction": {"truncation": True},
}


def plain(value):
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return value.item() if hasattr(value, "item") else value


def vector(tokens, options):
    tokens = torch.tensor(tokens[0])
    pooling = options.get("pooling", "none")
    found = tokens if pooling == "none" else tokens[0] if pooling == "cls" else tokens.mean(0)
    return (torch.nn.functional.normalize(found, dim=-1) if options.get("normalize") else found).tolist()


def answer(run, task, inputs, options):
    if task == "question-answering":
        return run(question=inputs["question"], context=inputs["context"], **options)
    if task == "feature-extraction":
        return vector(run(inputs, **cut[task]), options)
    return run(inputs, **cut.get(task, {}), **options)


def answers(case):
    try:
        run = transformers.pipeline(case["task"], case["folder"], device="cpu")
    except KeyError:
        return None  # transformers 5 has no question-answering
    found = []
    for call in case["calls"]:
        try:
            found.append({"value": plain(answer(run, case["task"], call["inputs"], call["options"]))})
        except BaseException as error:  # the Rust library panics by one of its own
            found.append({"error": f"{type(error).__name__}: {error}"[:300]})
    return found


print(json.dumps([answers(case) for case in json.load(open(sys.argv[1]))]))

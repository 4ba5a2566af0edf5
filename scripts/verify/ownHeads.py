"""What Python computes of a folder that was saved here with a head of the user's own, and of an adapter for it in PEFT: JSON on stdout.

    python scripts/verify/ownHeads.py MODEL ADAPTER CASE.json
"""
import importlib.util
import json
import os
import sys

import torch
from peft import PeftModel

spec = importlib.util.spec_from_file_location('ownHeads', os.path.join(os.path.dirname(__file__), '../fixtures/ownHeads.py'))
fixtures = importlib.util.module_from_spec(spec)
spec.loader.exec_module(fixtures)

folder, adapter, case = sys.argv[1:]
with open(case) as file:
    inputs = {name: torch.tensor(t['data'], dtype=getattr(torch, t['dtype'])).reshape(t['shape']) for name, t in json.load(file)['inputs'].items()}
with open(os.path.join(folder, 'config.json')) as file:
    make = getattr(fixtures, json.load(file)['architectures'][0])


def outputs(model):
    with torch.no_grad():
        _, found = model.eval()(**inputs)
    return {name: value.flatten().tolist() for name, value in found.items()}


model, info = make.from_pretrained(folder, output_loading_info=True, attn_implementation='eager')
assert not any(info.values()), info
plain = outputs(model)
print(json.dumps(dict(model=plain, adapter=outputs(PeftModel.from_pretrained(model, adapter)))))

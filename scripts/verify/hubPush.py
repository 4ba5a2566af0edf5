# Opens what was pushed with the classes of transformers and huggingface_hub: hubPush.py FILE (HF_ENDPOINT names the Hub)
import json
import sys

import torch
import transformers
from huggingface_hub import ModelCard, list_repo_files
from transformers import AutoModelForSequenceClassification, AutoTokenizer

transformers.logging.set_verbosity_error()
answers = []
for pushed in json.load(open(sys.argv[1])):
    where = {"revision": pushed["revision"]}
    folder = {"subfolder": pushed["subfolder"]} if pushed["subfolder"] else {}
    model, loading = AutoModelForSequenceClassification.from_pretrained(
        pushed["id"], **where, **folder, output_loading_info=True
    )
    left = {name: [*names] for name, names in loading.items() if name != "error_msgs" and names}
    if left:
        sys.exit(f'{pushed["name"]}: {left}')
    tokenizer = AutoTokenizer.from_pretrained(pushed["id"], **where, **folder)
    inputs = tokenizer(pushed["texts"], padding=True, return_tensors="pt")
    with torch.no_grad():
        logits = model.eval()(**inputs).logits
    card = None
    if pushed["hasCard"]:
        card = ModelCard.load(pushed["id"])
        card.validate()
    answers.append(
        {
            "ids": inputs.input_ids.tolist(),
            "logits": logits.flatten().tolist(),
            "card": card and {"library": card.data.library_name, "tags": card.data.tags, "license": card.data.license},
            "files": list_repo_files(pushed["id"], **where),
        }
    )
json.dump(answers, sys.stdout)

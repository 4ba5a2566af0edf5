# Opens saved folders with the classes of transformers, and prints what they predict: savedFolders.py FILE
import json
import sys

import torch
import transformers

transformers.logging.set_verbosity_error()
classes = {
    "sequence-classification": transformers.AutoModelForSequenceClassification,
    "token-classification": transformers.AutoModelForTokenClassification,
    "question-answering": transformers.AutoModelForQuestionAnswering,
    "multiple-choice": transformers.AutoModelForMultipleChoice,
    "masked-lm": transformers.AutoModelForMaskedLM,
}

answers = []
for saved in json.load(open(sys.argv[1])):
    model, loading = classes[saved["task"]].from_pretrained(
        saved["folder"], attn_implementation="eager", output_loading_info=True
    )
    left = {name: [*names] for name, names in loading.items() if name != "error_msgs" and names}
    if left:
        sys.exit(f'{saved["name"]}: {left}')
    inputs = {name: torch.tensor(t["data"]).reshape(t["dims"]) for name, t in saved["inputs"].items()}
    with torch.no_grad():
        found = model.eval()(**inputs)
    answers.append(
        {
            name: {"dims": list(found[name].shape), "data": found[name].flatten().tolist()}
            for name in ("logits", "start_logits", "end_logits")
            if name in found
        }
    )
json.dump(answers, sys.stdout)

# Models of every head in Python: their classes, and what they make of a case's inputs.
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


def outputs(model, case):
    inputs = {name: torch.tensor(t["data"]).reshape(t["dims"]) for name, t in case["inputs"].items()}
    with torch.no_grad():
        found = model.eval()(**inputs)
    return {
        name: {"dims": list(found[name].shape), "data": found[name].flatten().tolist()}
        for name in ("logits", "start_logits", "end_logits")
        if name in found
    }

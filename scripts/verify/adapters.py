# Low-rank adapters in PEFT: adapters.py open FILE opens those that were saved, adapters.py make FILE makes others for the same bases.
import json
import random
import sys

import peft
import torch

from heads import classes, outputs

task_types = {"sequence-classification": "SEQ_CLS", "token-classification": "TOKEN_CLS", "question-answering": "QUESTION_ANS"}


def base_of(case):
    return classes[case["task"]].from_pretrained(case["base"], attn_implementation="eager")


def both(model, case):
    return {"adapted": outputs(model, case), "merged": outputs(model.merge_and_unload(), case)}


def layers_pattern(choose, names):
    """What the list of layers is called: its last part, more of it, a regular expression, or nothing."""
    before = next((name.split(".") for name in names if any(part.isdigit() for part in name.split("."))), ["layer", "0"])
    path = before[: next(i for i, part in enumerate(before) if part.isdigit())]
    return choose.choice([None, path[-1], ".".join(path[-2:]), path[-1][0] + ".*", ["nothing", path[-1]]])


def random_options(base, task, seed):
    choose = random.Random(seed)
    linear = [name for name, module in base.named_modules() if isinstance(module, torch.nn.Linear)]
    heads = ("classifier", "score", "qa_outputs", "lm_head", "cls", "vocab_", "predictions", "decoder", "generator", "head")
    inner = [name for name in linear if not any(part in name for part in heads)]
    ends = sorted({name.split(".")[-1] for name in inner})
    options = dict(r=choose.choice([1, 2, 4]), lora_alpha=choose.choice([1, 8, 13]), use_rslora=choose.random() < 0.3)
    options["bias"] = choose.choice(["none", "none", "lora_only", "all"])
    kind = choose.choice(["ends", "names", "regex", "all-linear"] if task == "sequence-classification" else ["ends", "names", "regex"])
    if kind == "ends":
        options["target_modules"] = choose.sample(ends, min(len(ends), choose.choice([1, 2, 3])))
        if choose.random() < 0.3:
            options["layers_to_transform"] = choose.choice([[0], 1])
            options["layers_pattern"] = layers_pattern(choose, inner)
    elif kind == "names":
        options["target_modules"] = choose.sample(inner, min(len(inner), 4))
        if choose.random() < 0.3:
            options["target_modules"] += [choose.choice(ends)]
            options["layers_to_transform"] = [choose.randrange(2)]
    elif kind == "regex":
        start = choose.choice([".*", choose.choice(inner).split(".")[0] + r"\..*"])
        options["target_modules"] = start + "(" + "|".join(choose.sample(ends, min(2, len(ends)))) + ")"
    else:
        options["target_modules"] = "all-linear"
    if choose.random() < 0.3:
        options["rank_pattern"] = {choose.choice(ends): 3}
        options["alpha_pattern"] = {choose.choice(ends): 5}
    if choose.random() < 0.2:
        options["exclude_modules"] = choose.choice([[choose.choice(inner)], choose.choice(inner).replace(".", r"\.")])
    saved = ["classifier"] if task == "multiple-choice" else []
    if choose.random() < 0.4:
        parts = [part for part in ("word_embeddings", "LayerNorm", "pooler", "decoder", "lm_head", "transform") if any(name.endswith(part) for name, _ in base.named_modules())]
        saved.append(choose.choice(parts or ["norm"]))
    if saved:
        options["modules_to_save"] = saved
    return options


def make(case, seed):
    for attempt in range(20):
        base = base_of(case)
        options = random_options(base, case["task"], seed * 1000 + attempt)
        try:
            model = peft.get_peft_model(base, peft.LoraConfig(task_type=task_types.get(case["task"]), **options))
            break
        except (ValueError, TypeError):  # nothing is meant by these options
            continue
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.2)
    model.save_pretrained(case["adapter"], safe_serialization=seed % 3 != 0)
    return {"options": {k: v if not isinstance(v, set) else sorted(v) for k, v in options.items()}, **both(model, case)}


def opened(case):
    try:
        return both(peft.PeftModel.from_pretrained(base_of(case), case["adapter"]), case)
    except Exception as error:
        raise RuntimeError(f"{case['name']}: {open(case['adapter'] + '/adapter_config.json').read()}") from error


cases = json.load(open(sys.argv[2]))
if sys.argv[1] == "open":
    json.dump([opened(case) for case in cases], sys.stdout)
else:
    json.dump([make(case, case["seed"]) for case in cases], sys.stdout)

# What Python finds in a cache, or puts into it: hubCache.py MODEL DATASET; the environment says which Hub, and whether it may be asked
import hashlib
import json
import sys

import transformers
from huggingface_hub import hf_hub_download, is_offline_mode, scan_cache_dir, snapshot_download
from transformers import AutoModel, AutoTokenizer

transformers.logging.set_verbosity_error()
model, dataset = sys.argv[1:]
# Without a connection all that is there is taken, though it is a part of the repository.
patterns = None if is_offline_mode() else ["*.json", "*.txt", "*.safetensors"]
snapshot = snapshot_download(model, allow_patterns=patterns)
files = {}
for name in ("config.json", "model.safetensors", "tokenizer_config.json", "vocab.txt"):
    path = hf_hub_download(model, name)
    assert path.startswith(snapshot), f"{path} is not in {snapshot}"
    files[name] = hashlib.sha256(open(path, "rb").read()).hexdigest()
path = hf_hub_download(dataset, "data/train.csv", repo_type="dataset", revision="refs/convert/parquet")
files["data/train.csv"] = hashlib.sha256(open(path, "rb").read()).hexdigest()
weights = AutoModel.from_pretrained(model).state_dict()
tokens = AutoTokenizer.from_pretrained(model)("the quick fox")["input_ids"]
json.dump(
    {
        "snapshot": snapshot,
        "files": files,
        "parameters": sum(tensor.numel() for tensor in weights.values()),
        "tokens": tokens,
        "warnings": [str(warning) for warning in scan_cache_dir().warnings],
    },
    sys.stdout,
)

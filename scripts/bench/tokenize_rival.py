"""10,000 pairs through the native Rust tokenizers, all threads, in a process of its own: job.json -> result.json"""
import json
import sys
import time

import tokenizers

job = json.load(open(sys.argv[1]))
first, second = json.load(open(job["pairs"]))
tokenizer = tokenizers.Tokenizer.from_file(job["tokenizer"] + "/tokenizer.json")
tokenizer.enable_truncation(job["maxLength"])
tokenizer.no_padding()
passes, ids = [], []
for _ in range(job["passes"]):
    ids = []
    start = time.perf_counter()
    for i in range(0, len(first), job["batch"]):
        pairs = list(zip(first[i : i + job["batch"]], second[i : i + job["batch"]]))
        ids += [encoding.ids for encoding in tokenizer.encode_batch(pairs)]
    passes.append(time.perf_counter() - start)
json.dump({"passes": passes, "ids": ids, "version": tokenizers.__version__}, open(job["result"], "w"))

# Opens saved folders with the classes of transformers, and prints what they predict: savedFolders.py FILE
import json
import sys

from heads import classes, outputs

answers = []
for saved in json.load(open(sys.argv[1])):
    model, loading = classes[saved["task"]].from_pretrained(
        saved["folder"], attn_implementation="eager", output_loading_info=True
    )
    left = {name: [*names] for name, names in loading.items() if name != "error_msgs" and names}
    if left:
        sys.exit(f'{saved["name"]}: {left}')
    answers.append(outputs(model, saved))
json.dump(answers, sys.stdout)

"""One run of Hugging Face Trainer in a process of its own: job.json -> result.json. Python's side of ours.ts."""
import json
import os

from measured import clock, job, memory, write_result

os.environ.setdefault('HF_HUB_OFFLINE', '1')

import datasets
import torch
import transformers
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer, DataCollatorWithPadding, Trainer, TrainerCallback, TrainingArguments

torch.set_num_threads(job['threads'])
on_gpu = job['device'] != 'cpu' and torch.cuda.is_available()
precision = {'bf16': job['precision'] == 'bfloat16', 'fp16': job['precision'] == 'float16'}
if on_gpu:
    precision['tf32'] = job['precision'] == 'tf32'


class SpreadSampler:
    """The batches that are trained on, spread over the whole epoch of length grouping, whose first batches are its longest."""

    def __init__(self, sampler, batch, warmup, steps):
        self.sampler, self.batch, self.warmup, self.steps = sampler, batch, warmup, steps

    def __len__(self):
        return self.batch * (self.warmup + self.steps + 2)

    def __iter__(self):
        order = list(self.sampler)
        batches = [order[i:i + self.batch] for i in range(0, len(order) - self.batch + 1, self.batch)] or [order]
        spread = lambda count: [batches[int((i + .5) * len(batches) / count)] for i in range(count)]
        # the loader may ask for more than is trained on
        return iter([row for batch in spread(self.warmup) + spread(self.steps) + spread(2) for row in batch])


class MeasuredTrainer(Trainer):
    def _get_train_sampler(self, *args, **kwargs):
        sampler = super()._get_train_sampler(*args, **kwargs)
        return SpreadSampler(sampler, job['batch'], job['warmup'], job['steps']) if job['grouped'] else sampler

    def training_step(self, *args, **kwargs):
        loss = super().training_step(*args, **kwargs)
        if job['keepLosses']:
            losses.append(loss.item())
        return loss


class Clock(TrainerCallback):
    def on_step_end(self, args, state, control, **kwargs):
        if on_gpu and len(step_ends) + 1 in (1, job['warmup'], job['warmup'] + job['steps']):
            torch.cuda.synchronize()  # what is timed begins and ends when the GPU has done it
        step_ends.append(clock())
        if len(step_ends) % job['memoryInterval'] == 0:
            samples.append(memory('VmRSS'))


step_ends, losses, samples, lengths = [], [], [], []
config = AutoConfig.from_pretrained(job['model'], num_labels=job['numLabels'], **job['config'])
model = AutoModelForSequenceClassification.from_pretrained(job['model'], config=config)
tokenizer = AutoTokenizer.from_pretrained(job['tokenizer'])
with open(job['rows'], encoding='utf8') as file:
    train_dataset = datasets.Dataset.from_dict(json.load(file))
pad = DataCollatorWithPadding(tokenizer)


def collate(rows):
    lengths.append([len(row['input_ids']) for row in rows])
    return pad(rows)


trainer = MeasuredTrainer(
    model=model, train_dataset=train_dataset, processing_class=tokenizer, data_collator=collate, callbacks=[Clock()],
    args=TrainingArguments(
        output_dir=job['output'], per_device_train_batch_size=job['batch'], max_steps=job['warmup'] + job['steps'], seed=job['seed'], use_cpu=not on_gpu,
        **precision, save_strategy='no', report_to='none', disable_tqdm=True, logging_steps=1 if job['keepLosses'] else 10,
        train_sampling_strategy='group_by_length' if job['grouped'] else 'random',
    ),
)
trainer.train()
write_result(step_ends, lengths[:len(step_ends)], losses, samples, {
    'torch': torch.__version__, 'transformers': transformers.__version__, 'on': torch.cuda.get_device_name() if on_gpu else 'the processor',
})

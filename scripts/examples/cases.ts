// the examples, their rows, and what they are to learn by heart
import { choices, entities, labelled, questions, type Rows, texts } from './rows'

/** An example, and when it has learnt its rows by heart. */
export interface ExampleCase {
  /** The script in `examples`, without `.ts`. */
  readonly script: string
  /** The rows of each file of its data, without `.jsonl`; none where it brings its own, and its model. */
  readonly files: Readonly<Record<string, Rows>>
  /**
   * The result that counts: at least 0.95 or another goal, or for perplexity at most half of what it was at the
   * start.
   */
  readonly result: string
  readonly goal?: number
  readonly flags?: readonly string[]
}

const glue: readonly [task: string, columns: readonly string[], classes: number, result: string][] = [
  ['cola', ['sentence'], 2, 'eval_matthews_correlation'],
  ['mnli', ['premise', 'hypothesis'], 3, 'eval_accuracy'],
  ['mnli-mm', ['premise', 'hypothesis'], 3, 'eval_accuracy'],
  ['mrpc', ['sentence1', 'sentence2'], 2, 'eval_accuracy'],
  ['qnli', ['question', 'sentence'], 2, 'eval_accuracy'],
  ['qqp', ['question1', 'question2'], 2, 'eval_accuracy'],
  ['rte', ['sentence1', 'sentence2'], 2, 'eval_accuracy'],
  ['sst2', ['sentence'], 2, 'eval_accuracy'],
  ['stsb', ['sentence1', 'sentence2'], 1, 'eval_pearson'],
  ['wnli', ['sentence1', 'sentence2'], 2, 'eval_accuracy'],
]

export const cases: readonly ExampleCase[] = [
  ...glue.map(([task, columns, classes, result]) => glueCase(task, labelled(columns, classes), result)),
  {
    script: 'smsa',
    files: inFolder('smsa', labelled(['text'], 3)),
    result: 'eval_accuracy',
    flags: ['--warmup_steps=0'],
  },
  {
    script: 'lora',
    files: inFolder('mrpc', labelled(['sentence1', 'sentence2'], 2)),
    result: 'eval_accuracy',
    flags: ['--rank=4', '--target_modules=query,value,dense'],
  },
  {
    script: 'ownHead',
    files: inFolder('stsb', labelled(['sentence1', 'sentence2'], 1)),
    result: 'eval_accuracy',
  },
  {
    script: 'embed',
    files: { train: labelled(['text'], 3), validation: labelled(['text'], 3) },
    result: 'eval_accuracy',
  },
  { script: 'ner', files: { train: entities(), validation: entities() }, result: 'eval_f1' },
  {
    script: 'questionAnswering',
    files: { train: questions(), validation: questions() },
    result: 'eval_f1',
    goal: 95, // percent
    flags: ['--max_seq_length=24', '--doc_stride=8'], // so that there are several windows
  },
  { script: 'multipleChoice', files: inFolder('regular', choices()), result: 'eval_accuracy' },
  {
    script: 'maskedLanguageModel',
    files: { train: texts(), validation: texts() },
    result: 'perplexity',
    flags: ['--block_size=8', '--eval_on_start'],
  },
  { script: 'digits', files: {}, result: 'eval_accuracy', flags: ['--model=cnn'] },
  { script: 'digits', files: {}, result: 'eval_accuracy', goal: 0.93, flags: ['--model=mlp', '--num_train_epochs=8'] },
]

function glueCase(task: string, rows: Rows, result: string): ExampleCase {
  const script = `glue/${task}`
  if (!task.startsWith('mnli')) return { script, files: inFolder(task, rows), result }
  const splits = ['train', 'validation_matched', 'validation_mismatched']
  return { script, files: Object.fromEntries(splits.map(split => [`mnli/${split}`, rows])), result }
}

function inFolder(folder: string, rows: Rows): ExampleCase['files'] {
  return { [`${folder}/train`]: rows, [`${folder}/validation`]: rows }
}

// reports that pages are made of for `npm run verify -- report`: rows, classes and texts of all kinds
import {
  AutoModelForSequenceClassification,
  AutoModelForTokenClassification,
  type PreTrainedModel,
  Tensor,
} from '../../src/index'
import type { LogEntry } from '../../src/callbacks/TrainerState'
import { MersenneTwister } from '../../src/random'
import { reportedRowsOf } from '../../src/report/reportedRowsOf'
import { describedModel } from '../../src/report/describedModel'
import type { Report } from '../../src/report/Report'

const config = {
  model_type: 'bert',
  vocab_size: 30,
  hidden_size: 8,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  intermediate_size: 12,
  max_position_embeddings: 12,
} as const

/** Texts that would do harm in a page that took them as they are. */
export const hostileTexts = [
  "<script>console.error('executed')</script>",
  `"><img src=x onerror="console.error('executed')">`,
  `'><svg onload=console.error('executed')>`,
  '</p></li></ol></main><style>body{display:none}</style>',
  '<a href="javascript:console.error(1)">click</a> <iframe src="https://example.com"></iframe>',
  'right to left: \u202eevil.exe\u202c and \u2067isolated\u2069, unclosed \u202e\u2067until the end',
  'nul \u0000, bell \u0007, escape \u001b[31m, half \ud83d of a character',
  '  two\n  lines\tand a tab, &amp; an entity, é, 日本語, שלום עולם, 👩‍👩‍👧',
  'x'.repeat(1_000_000),
  'w o r d s '.repeat(400),
]

/** Numbers between 0 and 1 that are the same each time. */
type Random = () => number

export interface Case {
  readonly name: string
  readonly make: () => Promise<Report>
}

/** What is drawn: every kind of page. */
export const cases: readonly Case[] = [
  { name: 'classes', make: () => classesReport(408, ['not_equivalent', 'equivalent'], 1.1) },
  { name: 'rows-10000', make: () => classesReport(10_000, ['negative', 'neutral', 'positive'], 1.2) },
  { name: 'classes-150', make: () => classesReport(10_000, intents, 5) },
  { name: 'hostile', make: hostileReport },
  { name: 'regression', make: () => valuesReport(1500) },
  { name: 'several-labels', make: severalReport },
  { name: 'entities', make: entitiesReport },
  {
    name: 'begun',
    make: async () => ({ ...reportOf(undefined, new Map()), history: [], status: 'running', step: 0, epoch: 0 }),
  },
]

const intents = Array.from(
  { length: 150 },
  (_, at) => `intent_${['book', 'cancel', 'ask', 'tell', 'change'][at % 5]}_${Math.floor(at / 5)}`,
)

function randomOf(seed: number): Random {
  const twister = new MersenneTwister(seed)
  return () => twister.uniform()
}

async function classesReport(count: number, names: readonly string[], sureness: number): Promise<Report> {
  const model = classifier(names)
  const random = randomOf(count + names.length)
  const rows = Array.from({ length: count }, (_, row) => {
    const label = Math.floor(random() * names.length)
    const likely = random() < 0.8 ? label : Math.floor(random() * Math.min(names.length, label + 3))
    const logits = names.map((_unused, at) => random() * 2 + (at === likely ? sureness : 0))
    const length = row % 9 === 0 ? 120 : 12
    return {
      label,
      logits,
      text: Array.from({ length }, (_unused, word) => `word${Math.floor(random() * 900) + word}`).join(' '),
    }
  })
  return collected(model, rows)
}

async function hostileReport(): Promise<Report> {
  const names = ['<b>bold</b>', '"><script>console.error(1)</script>', '\u202eclass', 'n'.repeat(300)]
  const rows = hostileTexts.map((text, at) => ({
    label: at % 4,
    logits: names.map((_, one) => (one === (at + 1) % 4 ? 2 : 0)),
    text,
  }))
  const report = await collected(classifier(names), rows, { '<i>column</i>': 'of a strange name' })
  const entry = { 'eval_<script>console.error(2)</script>': 0.5, eval_text: '<img src=x onerror=console.error(3)>' }
  return {
    ...report,
    title: '</title><script>console.error("title")</script>\u202erun',
    history: report.history.map(one => ('eval_runtime' in one ? { ...one, ...entry } : one)),
    changedArguments: [{ name: 'runName', value: '</code><script>console.error("argument")</script>' }],
  }
}

async function valuesReport(count: number): Promise<Report> {
  const model = AutoModelForSequenceClassification.fromConfig(config, { numLabels: 1, problemType: 'regression' })
  const random = randomOf(count)
  const rows = Array.from({ length: count }, (_, row) => {
    const label = Math.round(random() * 25) / 5
    return {
      label,
      logits: [label * 0.8 + 0.6 + (random() + random() - 1) * 1.4],
      text: `The sentence of row ${row}.`,
      second: 'Another sentence, to compare.',
    }
  })
  return collected(model, rows)
}

async function severalReport(): Promise<Report> {
  const names = ['joy', 'anger', 'surprise', 'fear', 'none of these']
  const model = AutoModelForSequenceClassification.fromConfig(config, {
    id2label: names,
    problemType: 'multi_label_classification',
  })
  const random = randomOf(5)
  const rows = Array.from({ length: 600 }, (_, row) => {
    const has = names.map(() => Number(random() < 0.3))
    return {
      label: has,
      logits: has.map(one => (one - 0.5) * 3 + (random() - 0.5) * 5),
      text: `Text ${row} with several labels.`,
    }
  })
  return collected(model, rows)
}

async function entitiesReport(): Promise<Report> {
  const names = ['O', 'B-PER', 'I-PER', 'B-LOC', 'I-LOC']
  const model = AutoModelForTokenClassification.fromConfig(config, { id2label: names })
  const random = randomOf(9)
  const length = 12
  const [labels, logits, words]: [number[], number[], string[][]] = [[], [], []]
  for (let row = 0; row < 300; row++) {
    const own = Array.from({ length }, (_, at) => (at > 9 ? -100 : [0, 0, 0, 1, 2, 0, 3, 0, 3, 4][(at + row) % 10]!))
    labels.push(...own)
    for (const label of own) {
      const likely = random() < 0.9 ? label : Math.floor(random() * 5)
      logits.push(...names.map((_, at) => random() + (at === likely ? 2 : 0)))
    }
    words.push(own.map((label, at) => `${label > 0 ? 'Name' : 'word'}${at}`))
  }
  const reported = reportedRowsOf(model, 10, undefined)!
  await reported.add({
    prefix: 'eval',
    batch: {},
    rows: words.map((_, row) => row),
    predictions: { logits: new Tensor('float32', Float32Array.from(logits), [300, length, 5]) },
    labels: { labels: new Tensor('int32', Int32Array.from(labels), [300, length]) },
    wholeRow: async row => ({ tokens: words[row] }),
  })
  return reportOf(model, new Map([['eval', { step: 230, rows: reported }]]))
}

function classifier(names: readonly string[]): PreTrainedModel {
  return AutoModelForSequenceClassification.fromConfig(config, {
    id2label: names,
    problemType: 'single_label_classification',
  })
}

interface Row {
  readonly label: number | readonly number[]
  readonly logits: readonly number[]
  readonly text: string
}

/** The report of an evaluation of such rows. */
async function collected(model: PreTrainedModel, rows: readonly Row[], more: object = {}): Promise<Report> {
  const reported = reportedRowsOf(model, 10, undefined)!
  const size = 64
  for (let start = 0; start < rows.length; start += size) {
    const part = rows.slice(start, start + size)
    await reported.add({
      prefix: 'eval',
      batch: {},
      rows: part.map((_, at) => start + at),
      predictions: {
        logits: Tensor.from(
          'float32',
          part.map(({ logits }) => logits),
        ),
      },
      labels: {
        labels: Tensor.from(
          'float32',
          part.map(({ label }) => label as number),
        ),
      },
      wholeRow: async at => {
        const { label: _label, logits: _logits, ...texts } = part[at]!
        return { ...texts, ...more }
      },
    })
  }
  return reportOf(model, new Map([['eval', { step: 230, rows: reported }]]))
}

function reportOf(model: PreTrainedModel | undefined, details: Report['details']): Report {
  return {
    title: 'minilm-mrpc',
    status: 'finished',
    step: 230,
    maxSteps: 230,
    epoch: 2,
    epochs: 2,
    writtenAt: Date.UTC(2026, 10, 28, 12, 5, 3),
    model: model && describedModel(model),
    trainRows: 3668,
    history: historyOf(),
    best: { metric: 'accuracy', greaterIsBetter: true },
    details,
    stepTimes: Float64Array.from({ length: 230 }, (_, at) => 0.21 + 0.02 * Math.sin(at)),
    rowsPerStep: 32,
    changedArguments: [
      { name: 'outputDir', value: 'out/minilm-mrpc' },
      { name: 'learningRate', value: '0.00003' },
      { name: 'perDeviceTrainBatchSize', value: '32' },
      { name: 'evalStrategy', value: 'steps' },
    ],
    otherArguments: Array.from({ length: 90 }, (_, at) => ({ name: `argument${at}`, value: 'false' })),
    engine: {
      provider: 'cpu',
      version: '1.30.0',
      library: '/app/node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime.so.1',
    },
  }
}

function historyOf(): LogEntry[] {
  const random = randomOf(1)
  const training = Array.from({ length: 46 }, (_, at): LogEntry => {
    const step = (at + 1) * 5
    return {
      loss: 0.66 * Math.exp(-step / 180) + 0.08 * random(),
      grad_norm: 2 + 3 * random(),
      learning_rate: 3e-5 * (1 - step / 230),
      epoch: step / 115,
      step,
    }
  })
  const evaluated = [46, 92, 138, 184, 230].map((step, at): LogEntry => ({
    eval_loss: [0.61, 0.55, 0.48, 0.5, 0.52][at]!,
    eval_accuracy: [0.684, 0.74, 0.801, 0.816, 0.814][at]!,
    eval_f1: [0.812, 0.83, 0.857, 0.868, 0.865][at]!,
    eval_runtime: 2.31,
    eval_samples_per_second: 176.6,
    eval_steps_per_second: 22.1,
    epoch: step / 115,
    step,
  }))
  const whole = {
    train_runtime: 71.4,
    train_samples_per_second: 102.7,
    train_steps_per_second: 3.2,
    train_loss: 0.41,
    epoch: 2,
    step: 230,
  }
  return [...training, ...evaluated, whole].toSorted((a, b) => Number(a['step']) - Number(b['step']))
}

// pipelines beside Python's: random texts of all kinds, tiny models with random weights, three kinds of tokenizer
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { modelFromConfig } from '../../src/auto/PreTrainedModel'
import type { Task } from '../../src/heads/Head'
import { AutoTokenizer, pipeline, type Pipelines, setLogLevel, Tensor } from '../../src/index'
import { MersenneTwister } from '../../src/random'
import { differenceOf } from './answersAlike'
import type { Check } from './Check'
import { inPython, inWorkFolder, writeGiven } from './python'
import { type Choices, choices } from './randomTexts'

type Name = 'text-classification' | 'token-classification' | 'question-answering' | 'fill-mask' | 'feature-extraction'

/** A call, as it is made here; Python's options are in snake_case. */
interface Call {
  readonly inputs: unknown
  readonly options: Readonly<Record<string, unknown>>
}

/** What Python or we answer to a call. */
export interface Outcome {
  readonly value?: unknown
  readonly error?: string
}

/** What a model is made of, as a function of a seed. */
export interface Subject {
  readonly task: Name
  readonly kind: keyof typeof kinds
  /** The model's options. */
  readonly model: object
  readonly seed: number
}

/** A folder with a model and a tokenizer, and what is asked of it. */
interface Case extends Subject {
  readonly name: string
  readonly folder: string
  readonly calls: readonly Call[]
}

/** Families whose models go with the kinds of tokenizers, which are those of test/fixtures. */
const kinds = { wordpiece: 'bert', bytelevel: 'roberta', metaspace: 'xlm-roberta' } as const
/** What models are given; by default tokenizers of no class of their own say otherwise in transformers 4 and 5. */
const inputNames = {
  wordpiece: ['input_ids', 'token_type_ids', 'attention_mask'],
  bytelevel: ['input_ids', 'attention_mask'],
  metaspace: ['input_ids', 'attention_mask'],
}
const heads: Readonly<Record<Name, Task>> = {
  'text-classification': 'sequence-classification',
  'token-classification': 'token-classification',
  'question-answering': 'question-answering',
  'fill-mask': 'masked-lm',
  'feature-extraction': 'feature-extraction',
}
const limit = 48
const tagged = { id2label: ['O', 'B-PER', 'I-PER', 'B-LOC', 'I-LOC'] }
const labels = { numLabels: 3 }
const models: Readonly<Record<Name, readonly object[]>> = {
  'text-classification': [
    labels,
    { numLabels: 1, problemType: 'regression' },
    { numLabels: 4, problemType: 'multi_label_classification' },
    { numLabels: 1 },
  ],
  'token-classification': [tagged, labels],
  'question-answering': [{}],
  'fill-mask': [{}],
  'feature-extraction': [{}],
}

/** What is asked of each task, at random. */
const asked: Readonly<Record<Name, (random: Choices, mask: string) => Call>> = {
  'text-classification': ({ one, chance, text }) => ({
    inputs: chance(0.3) ? { text: text(), text_pair: text() } : text(),
    options: { topK: one([null, 2]), ...(chance(0.2) && { functionToApply: one(['softmax', 'sigmoid', 'none']) }) },
  }),
  'token-classification'({ one, chance, text }) {
    const aggregationStrategy = one(['none', 'simple', 'first', 'average', 'max'])
    const isLong = aggregationStrategy !== 'none' && chance(0.3)
    return {
      inputs: text(),
      options: {
        aggregationStrategy,
        ...(isLong && { stride: 8 }),
        ...(chance(0.2) && { ignoreLabels: one([[], ['O', 'LOC'], ['B-PER']]) }),
      },
    }
  },
  'question-answering': ({ one, chance, text }) => ({
    inputs: { question: text(5).replaceAll(/\[CLS\]|<s>/g, ''), context: text(chance(0.4) ? 120 : 14) },
    options: {
      topK: one([1, 1, 2, 5]),
      docStride: 6,
      maxAnswerLen: one([3, 15]),
      handleImpossibleAnswer: chance(0.3),
      ...(chance(0.2) && { alignToWords: false }),
    },
  }),
  'fill-mask'({ one, chance, text }, mask) {
    const masks = Array.from({ length: one([1, 1, 1, 2, 3]) }, () => mask)
    const words = [text(6), ...masks.flatMap(one => [one, text(6)])].join(chance(0.8) ? ' ' : '')
    const targets = { targets: one([['the', 'car', 'xyz'], ['a'], ['night', 'Ġpart', '▁the', '日']]) }
    return { inputs: chance(0.05) ? text() : words, options: { topK: one([1, 3, 5]), ...(chance(0.2) && targets) } }
  },
  'feature-extraction': ({ one, chance, text }) => ({
    inputs: text(),
    options: { pooling: one(['none', 'mean', 'cls']), normalize: chance(0.5) },
  }),
}

/** Saves a model with its tokenizer, and thinks of things to ask. */
export async function saveCase(subject: Subject, texts: number, work: string): Promise<Case> {
  const { task, kind, model, seed } = subject
  const tokenizer = await AutoTokenizer.fromPretrained(
    join(import.meta.dirname, '../../test/fixtures/tokenizers', kind),
  )
  tokenizer.modelMaxLength = limit
  const config = {
    model_type: kinds[kind],
    vocab_size: tokenizer.length,
    hidden_size: 16,
    num_hidden_layers: 2,
    num_attention_heads: 2,
    intermediate_size: 24,
    max_position_embeddings: limit + 4,
    initializer_range: 0.4,
    ...(tokenizer.padTokenId !== undefined && { pad_token_id: tokenizer.padTokenId }),
  }
  const folder = mkdtempSync(join(work, `${task}-${kind}-`))
  await modelFromConfig<unknown>(config, { ...model, seed }, heads[task]).savePretrained(folder)
  await tokenizer.savePretrained(folder)
  const file = join(folder, 'tokenizer_config.json')
  const written = JSON.parse(readFileSync(file, 'utf8')) as object
  writeFileSync(file, JSON.stringify({ ...written, model_input_names: inputNames[kind] }))
  const random = choices(new MersenneTwister(seed))
  const calls = Array.from({ length: texts }, () => asked[task](random, tokenizer.maskToken ?? '[MASK]'))
  return { ...subject, name: `${task}, ${kind} ${JSON.stringify(model)}`, folder, calls }
}

/** What our pipeline answers to each call, all at once: it gathers them. */
export async function ours({ task, folder, calls }: Case): Promise<Outcome[]> {
  const run = await pipeline(task as keyof Pipelines, folder, { threads: 1 })
  const answers = calls.map(async ({ inputs, options }) => {
    const given = task === 'question-answering' ? Object.values(inputs as Record<string, string>) : [inputs as string]
    try {
      const found: unknown = await (run as unknown as (...given: unknown[]) => Promise<unknown>)(...given, options)
      return { value: found instanceof Tensor ? (found.tolist() as unknown[])[0] : found }
    } catch (error) {
      return { error: (error as Error).message }
    }
  })
  return Promise.all(answers).finally(() => run.dispose())
}

function theirs(python: string, cases: readonly Case[], work: string): Promise<(Outcome[] | null)[]> {
  const snake = (options: Call['options']): object =>
    Object.fromEntries(
      Object.entries(options).map(([name, value]) => [
        name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`),
        value,
      ]),
    )
  const written = cases.map(one => ({
    ...one,
    calls: one.calls.map(call => ({ ...call, options: snake(call.options) })),
  }))
  return inPython(python, 'pipelines.py', [writeGiven(work, 'calls', written)])
}

/** Every task with every kind of tokenizer and every kind of its models. */
function subjects(wanted: string | undefined, seed: number): Subject[] {
  const tasks = (Object.keys(heads) as Name[]).filter(name => wanted === undefined || name === wanted)
  const all = Object.keys(kinds) as (keyof typeof kinds)[]
  return tasks.flatMap(task => all.flatMap(kind => models[task].map(model => ({ task, kind, model, seed }))))
}

/** Keeps Python's answers for test/pipelines. */
function writeAnswers(file: string, cases: readonly Case[], answers: readonly unknown[]): void {
  const rounded = (_: string, value: unknown): unknown =>
    typeof value === 'number' ? Number(value.toPrecision(7)) : value
  const kept = cases.map(({ task, kind, model, seed, calls }, at) => ({
    task,
    kind,
    model,
    seed,
    calls,
    answers: answers[at],
  }))
  writeFileSync(file, JSON.stringify(kept, rounded))
}

export const pipelines: Check = {
  does: "Asks pipelines of tiny models, with three kinds of tokenizer, about random texts, and Python's the same: labels, words and spans equal, scores to 1e-4.",
  needs: 'python3 with torch and transformers (--python PATH); transformers 4 for question answering, which 5 has not',
  takes: 'about two minutes',
  options: '[--python PATH (python3)] [--seed N (1)] [--texts N (200)] [--task NAME] [--write FILE]',
  async run(options, print) {
    const { values } = parseArgs({
      args: [...options],
      options: {
        python: { type: 'string', default: 'python3' },
        seed: { type: 'string', default: '1' },
        texts: { type: 'string', default: '200' },
        task: { type: 'string' },
        write: { type: 'string' },
      },
    })
    setLogLevel('error')
    return inWorkFolder('pipelines', async work => {
      const [texts, seed] = [Number(values.texts), Number(values.seed)]
      const cases: Case[] = []
      for (const subject of subjects(values.task, seed)) cases.push(await saveCase(subject, texts, work))
      const python = await theirs(values.python, cases, work)
      if (values.write !== undefined) writeAnswers(values.write, cases, python)
      let failed = 0
      for (const [at, one] of cases.entries()) failed += report(one, await ours(one), python[at]!, print)
      return failed === 0
    })
  },
}

/** Prints what came of a case, and answers how many calls differ. */
function report(
  { name, calls }: Case,
  found: readonly Outcome[],
  expected: readonly Outcome[] | null,
  print: (line: string) => void,
): number {
  if (expected === null) {
    print(`${name}: left out, this Python has no such pipeline`)
    return 0
  }
  const differences = calls.flatMap(({ inputs, options }, at) => {
    const why = differenceOf(inputs, found[at]!, expected[at]!)
    return why === undefined ? [] : [`  ${JSON.stringify(inputs)} ${JSON.stringify(options)}\n    ${why}`]
  })
  const refused = expected.filter(({ error }) => error !== undefined).length
  print(`${name}: ${calls.length - differences.length} of ${calls.length} the same (${refused} refused by both)`)
  for (const line of differences.slice(0, 3)) print(line)
  return differences.length
}

import type { TrainableModel } from '../auto/TrainableModel'
import { formatNumber } from '../callbacks/format'
import type { LogEntry } from '../callbacks/TrainerState'
import { readText } from '../files/readFile'
import { writeFileWhole } from '../files/writeFile'
import { checkWritable } from '../files/folder'
import { checkOptions } from '../options'
import type { TrainingArguments } from '../TrainingArguments'

/** What the run does not know about itself; one text, or several. */
export interface ModelCardOptions {
  /** Languages in the Hub's abbreviation: 'en'. */
  readonly language?: string | readonly string[]
  /** In the Hub's abbreviation: 'apache-2.0'. */
  readonly license?: string
  readonly tags?: string | readonly string[]
  /** Default: the last part of `outputDir`. */
  readonly modelName?: string
  /** The base model's id. Default: the name that the model was loaded by, if it looks like an id. */
  readonly finetunedFrom?: string
  /** Default: text-classification. */
  readonly tasks?: string | readonly string[]
  /** The datasets' ids on the Hub, and their names. */
  readonly datasetTags?: string | readonly string[]
  readonly dataset?: string | readonly string[]
  /** Their configurations, such as `mrpc`. */
  readonly datasetArgs?: string | readonly string[]
}

const cardOptions = Object.keys({
  language: 1,
  license: 1,
  tags: 1,
  modelName: 1,
  finetunedFrom: 1,
  tasks: 1,
  datasetTags: 1,
  dataset: 1,
  datasetArgs: 1,
} satisfies Record<keyof ModelCardOptions, 1>)

/** What the run knows. */
export interface CardParts {
  readonly args: TrainingArguments
  readonly model: Pick<TrainableModel, 'nameOrPath'>
  readonly logHistory: readonly LogEntry[]
  /** The optimizer's name, after training. */
  readonly optimizer: string | undefined
}

/** Metrics that the Hub knows, by their usual names in `computeMetrics`. */
const hubMetrics: Readonly<Record<string, string>> = {
  accuracy: 'accuracy',
  bleu: 'bleu',
  f1: 'f1',
  matthews_correlation: 'matthews_correlation',
  pearsonr: 'pearsonr',
  pearson: 'pearsonr',
  precision: 'precision',
  recall: 'recall',
  rouge1: 'rouge',
  sacrebleu: 'sacrebleu',
  spearmanr: 'spearmanr',
  wer: 'wer',
}

const taskNames: Readonly<Record<string, string>> = { 'text-classification': 'Text Classification' }

/** Writes `README.md` into the arguments' folder, and keeps the tags of an older one. */
export async function writeModelCard(parts: CardParts, options: ModelCardOptions): Promise<void> {
  checkOptions(options, cardOptions, 'createModelCard()')
  const { outputDir } = parts.args
  const path = `${outputDir}/README.md`
  await checkWritable(outputDir)
  const kept = tagsOf((await readText(path)) ?? '')
  const tags = [...new Set([...kept, ...listed(options.tags), 'generated_from_trainer'])]
  await writeFileWhole(path, new TextEncoder().encode(modelCard(parts, { ...options, tags })))
}

/** The text of a model card: Hugging Face's metadata header, the results, how the model was trained. */
export function modelCard(parts: CardParts, options: ModelCardOptions): string {
  const name = options.modelName ?? parts.args.outputDir.split(/[\\/]/).findLast(part => part !== '') ?? 'model'
  const base = options.finetunedFrom ?? hubId(parts.model.nameOrPath)
  const evaluations = parts.logHistory.filter(entry => entry.eval_loss !== undefined)
  const results = resultsOf(evaluations.at(-1))
  const link = `[${base}](https://huggingface.co/${base})`
  const from =
    base === undefined ? 'This model was trained from scratch' : `This model is a fine-tuned version of ${link}`
  const achieved = results.map(([key, value]) => `- ${titled(key)}: ${shown(value)}`)
  const missing = ['Model description', 'Intended uses & limitations', 'Training and evaluation data']
  return [
    '---',
    ...metadata(name, base, results, options),
    '---',
    '',
    '<!-- This model card has been generated automatically according to the information the Trainer had access to. You',
    'should probably proofread and complete it, then remove this comment. -->',
    '',
    `# ${name}`,
    '',
    `${from} on ${datasetsText(listed(options.dataset ?? options.datasetTags))}.`,
    ...(achieved.length === 0 ? [] : ['It achieves the following results on the evaluation set:', ...achieved]),
    '',
    ...missing.flatMap(title => [`## ${title}`, '', 'More information needed', '']),
    '## Training procedure',
    '',
    '### Training hyperparameters',
    '',
    'The following hyperparameters were used during training:',
    ...hyperparameters(parts),
    '',
    ...(evaluations.length === 0 ? [] : ['### Training results', '', ...resultsTable(parts.logHistory), '']),
    '### Framework versions',
    '',
    '- Trained with ts-trainer on ONNX Runtime',
    '',
  ].join('\n')
}

function datasetsText(names: readonly string[]): string {
  if (names.length === 0) return 'an unknown dataset'
  return `the ${names.join(', ')} dataset${names.length === 1 ? '' : 's'}`
}

function metadata(
  name: string,
  base: string | undefined,
  results: readonly Result[],
  options: ModelCardOptions,
): string[] {
  const known = results.flatMap(([key, value]) =>
    Object.hasOwn(hubMetrics, key) ? [{ name: titled(key), type: hubMetrics[key]!, value }] : [],
  )
  return [
    'library_name: transformers',
    ...yamlList('language', listed(options.language)),
    ...(options.license === undefined ? [] : [`license: ${yamlText(options.license)}`]),
    ...(base === undefined ? [] : [`base_model: ${yamlText(base)}`]),
    ...yamlList('tags', listed(options.tags)),
    ...yamlList('datasets', listed(options.datasetTags)),
    ...yamlList('metrics', [...new Set(known.map(({ type }) => type))]),
    'model-index:',
    `- name: ${yamlText(name)}`,
    ...modelIndex(known, options),
  ]
}

/** One result for each task and dataset; without the name of a dataset the Hub would refuse it. */
function modelIndex(
  metrics: readonly { name: string; type: string; value: number }[],
  options: ModelCardOptions,
): string[] {
  const tags = listed(options.datasetTags)
  const names = listed(options.dataset ?? options.datasetTags)
  const configs = listed(options.datasetArgs)
  if (tags.length === 0 || metrics.length === 0) return ['  results: []']
  const task = listed(options.tasks)[0] ?? 'text-classification'
  return [
    '  results:',
    ...tags.flatMap((tag, i) => [
      '  - task:',
      `      name: ${yamlText(taskNames[task] ?? task)}`,
      `      type: ${yamlText(task)}`,
      '    dataset:',
      `      name: ${yamlText(names[i] ?? tag)}`,
      `      type: ${yamlText(tag)}`,
      ...(configs[i] === undefined
        ? []
        : [`      config: ${yamlText(configs[i])}`, `      args: ${yamlText(configs[i])}`]),
      '    metrics:',
      ...metrics.flatMap(({ name, type, value }) => [
        `    - name: ${yamlText(name)}`,
        `      type: ${yamlText(type)}`,
        `      value: ${yamlNumber(value)}`,
      ]),
    ]),
  ]
}

function hyperparameters({ args, optimizer }: CardParts): string[] {
  const total = args.trainBatchSize * args.gradientAccumulationSteps
  const adam =
    args.optimizerKind === 'adamw'
      ? ` with betas=(${args.adamBeta1},${args.adamBeta2}) and epsilon=${pythonNumber(args.adamEpsilon)}`
      : ''
  const own = optimizer !== undefined && optimizer !== args.optimizerKind
  const extra =
    Object.entries(args.optimArgs)
      .map(([key, value]) => `${key}=${String(value)}`)
      .join(',') || 'No additional optimizer arguments'
  const lines: readonly (readonly [string, string | number | undefined])[] = [
    ['learning_rate', args.learningRate],
    ['train_batch_size', args.trainBatchSize],
    ['eval_batch_size', args.evalBatchSize],
    ['seed', args.seed],
    ['gradient_accumulation_steps', args.gradientAccumulationSteps > 1 ? args.gradientAccumulationSteps : undefined],
    ['total_train_batch_size', total === args.trainBatchSize ? undefined : total],
    ['optimizer', own ? `Use ${optimizer}` : `Use ${args.optim}${adam} and optimizer_args=${extra}`],
    ['lr_scheduler_type', args.lrSchedulerType],
    ['lr_scheduler_warmup_steps', args.warmupSteps === 0 ? undefined : args.warmupSteps],
    args.maxSteps > 0 ? ['training_steps', args.maxSteps] : ['num_epochs', args.numTrainEpochs],
    ['label_smoothing_factor', args.labelSmoothingFactor === 0 ? undefined : args.labelSmoothingFactor],
  ]
  const given = lines.filter(([, value]) => value !== undefined)
  return given.map(([key, value]) => `- ${key}: ${typeof value === 'number' ? pythonNumber(value) : value}`)
}

/** A row for every evaluation, with the last training loss logged before it. Speed and tokens are left out. */
export function resultsTable(logHistory: readonly LogEntry[]): string[] {
  let loss: LogEntry[string] = 'No log'
  const rows: Record<string, LogEntry[string]>[] = []
  for (const entry of logHistory) {
    if (entry.loss !== undefined) loss = entry.loss
    if (entry.eval_loss === undefined) continue
    const metrics = resultsOf(entry).map(
      ([key, value]) => [key === 'loss' ? 'Validation Loss' : titled(key), value] as const,
    )
    rows.push({
      'Training Loss': loss,
      Epoch: entry.epoch ?? '',
      Step: entry.step ?? '',
      ...Object.fromEntries(metrics),
    })
  }
  const columns = [...new Set(rows.flatMap(row => Object.keys(row)))]
  const cells = rows.map(row => columns.map(column => shown(row[column] ?? '')))
  const widths = columns.map((column, i) => Math.max(column.length, ...cells.map(row => row[i]!.length)))
  const line = (row: readonly string[]): string => `| ${row.map((cell, i) => cell.padEnd(widths[i]!)).join(' | ')} |`
  return [line(columns), `|${widths.map(width => `:${'-'.repeat(width)}:`).join('|')}|`, ...cells.map(line)]
}

type Result = readonly [string, number]

/** The metrics of an evaluation, without its speed. */
function resultsOf(entry: LogEntry | undefined): Result[] {
  return Object.entries(entry ?? {}).flatMap(([key, value]) => {
    const speed = key.endsWith('_runtime') || key.endsWith('_per_second') || key.endsWith('_time')
    return key.startsWith('eval_') && !speed && typeof value === 'number' ? [[key.slice(5), value] as const] : []
  })
}

function titled(key: string): string {
  return key
    .split('_')
    .map(word => word.charAt(0).toUpperCase() + word.slice(1))
    .join(' ')
}

/** At most four decimals, as in the Hub's cards. */
function shown(value: LogEntry[string]): string {
  if (typeof value !== 'number') return String(value)
  if (!Number.isFinite(value)) return formatNumber(value)
  return Math.round(value * 10_000) / 10_000 === value ? String(value) : value.toFixed(4)
}

function listed(given: string | readonly string[] | undefined): string[] {
  return given === undefined ? [] : typeof given === 'string' ? [given] : [...given]
}

/** A base model's id on the Hub, if it was not loaded from a path of this machine. */
function hubId(path: string | undefined): string | undefined {
  return path !== undefined && /^[\w-][\w.-]*(\/[\w-][\w.-]*)?$/.test(path) && !path.startsWith('out/')
    ? path
    : undefined
}

function yamlList(key: string, values: readonly string[]): string[] {
  return values.length === 0 ? [] : [`${key}:`, ...values.map(value => `- ${yamlText(value)}`)]
}

/** A text in quotes, if YAML would take it for something else without them. */
function yamlText(text: string): string {
  const plain = /^[A-Za-z_][\w ./-]*$/.test(text) && !/\s$|^(?:true|false|null|yes|no|on|off|y|n)$/i.test(text)
  return plain ? text : JSON.stringify(text)
}

/** A number as Python prints it: 5e-05. */
function pythonNumber(value: number): string {
  if (value === 0 || Math.abs(value) >= 1e-4) return String(value)
  return value.toExponential().replace(/e-(\d)$/, 'e-0$1')
}

/** YAML reads 1e-7 as a text, but 1.0e-7 as a number. */
function yamlNumber(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? '.nan' : value > 0 ? '.inf' : '-.inf'
  return String(value).replace(/^(-?\d+)e/, '$1.0e')
}

/** The tags of a card's header. */
function tagsOf(card: string): string[] {
  const header = /^---\r?\n(.*?)\r?\n---/s.exec(card)?.[1] ?? ''
  const block = /^tags:[ \t]*\r?\n((?:[ \t]*- .*(?:\r?\n|$))*)/m.exec(header)?.[1] ?? ''
  const tags = block.split(/\r?\n/).flatMap(line => /^[ \t]*- (.*)$/.exec(line)?.[1]?.trim() ?? [])
  return tags.map(tag => (tag.startsWith('"') ? (JSON.parse(tag) as string) : tag.replace(/^'(.*)'$/, '$1')))
}

// what a run knows → the fields at the beginning of its card
import type { HeadTask } from '../heads/Head'
import { isRepositoryId } from '../hub/ids'
import { isJsonObject } from '../json'
import type { MetricValue } from '../metrics/Metrics'
import { listed, type ModelCardOptions } from './options'
import { isCount, type Results } from './results'
import type { Yaml } from './yaml'

/** Where a dataset is from. */
export interface DatasetSource {
  /** Its id on the Hub. */
  readonly repository: string
  readonly configuration?: string | undefined
  readonly split?: string | undefined
}

/** What the fields are made of, beside the options. */
export interface MetadataParts {
  readonly name: string
  readonly base: string | undefined
  readonly license: string | undefined
  readonly task: HeadTask
  /** What config.json names; undefined for a graph that was made elsewhere. */
  readonly modelType: string | undefined
  /** Whether what is saved is an adapter for the base. */
  readonly isAdapter: boolean
  readonly tags: readonly string[]
  readonly source: DatasetSource | undefined
  readonly results: Results | undefined
}

/** The Hub's names of what heads do; it has none for heads of the user's own. */
const pipelines: Readonly<Partial<Record<HeadTask, string>>> = {
  'sequence-classification': 'text-classification',
  'token-classification': 'token-classification',
  'question-answering': 'question-answering',
  'multiple-choice': 'multiple-choice',
  'masked-lm': 'fill-mask',
  'feature-extraction': 'feature-extraction',
}

/** What tasks are called; others by the words of their tags. */
const taskNames: Readonly<Record<string, string>> = {
  'fill-mask': 'Masked Language Modeling',
  'text-generation': 'Causal Language Modeling',
}

/** The metrics that Python's cards name. */
const hubMetrics =
  'accuracy bleu f1 matthews_correlation pearsonr precision recall rouge sacrebleu spearmanr wer'.split(' ')

/** Heads that transformers.js has no class for, by their families: all for 'multiple-choice' and heads of the user's own. */
const withoutPipeline: Readonly<Partial<Record<HeadTask, RegExp>>> = {
  'multiple-choice': /^/,
  'custom-outputs': /^/,
  'token-classification': /^albert$/,
  'question-answering': /^modernbert$/,
}

/** The fields in the order of Python's cards. */
export function metadata(parts: MetadataParts, options: ModelCardOptions): Readonly<Record<string, Yaml>> {
  const { base, modelType, source, results } = parts
  const license = options.license ?? parts.license
  const datasets = datasetIds(options, source)
  const metrics = knownMetrics(results)
  const task = listed(options.tasks)[0] ?? pipelines[parts.task]
  return {
    library_name: parts.isAdapter ? 'peft' : modelType === undefined ? 'onnx' : 'transformers',
    ...several('language', listed(options.language)),
    ...(license === undefined ? {} : { license }),
    ...(base === undefined ? {} : { base_model: base }),
    tags: [...new Set([...listed(options.tags), ...parts.tags, 'generated_from_trainer', ...formatTags(parts)])],
    ...several('datasets', datasets),
    ...several('metrics', [...metrics.keys()]),
    ...(task === undefined ? {} : { pipeline_tag: task }),
    'model-index': [{ name: parts.name, results: resultsByTask(parts, options, metrics) }],
  }
}

/** The ids of the datasets: those given, else the one that was loaded. */
export function datasetIds(options: ModelCardOptions, source: DatasetSource | undefined): string[] {
  return listed(options.datasetTags ?? source?.repository)
}

/** Where the first dataset that says so is from. */
export function sourceOf(datasets: readonly unknown[]): DatasetSource | undefined {
  for (const dataset of datasets) {
    const info = isJsonObject(dataset) ? dataset['info'] : undefined
    if (!isJsonObject(info)) continue
    const { repository, configuration, split } = info
    // never a path of this machine
    if (typeof repository !== 'string' || !isRepositoryId(repository)) continue
    return { repository, configuration: textOrNothing(configuration), split: textOrNothing(split) }
  }
  return undefined
}

function textOrNothing(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function several(name: string, values: readonly string[]): Readonly<Record<string, Yaml>> {
  return values.length === 0 ? {} : { [name]: values }
}

/** What else opens the saved folder. */
function formatTags({ modelType, task, isAdapter, base }: MetadataParts): string[] {
  if (isAdapter)
    return ['ts-trainer', ...(base === undefined ? [] : [`base_model:adapter:${base}`]), 'lora', 'transformers']
  const opens = modelType !== undefined && withoutPipeline[task]?.test(modelType) !== true
  return ['ts-trainer', 'onnx', ...(opens ? ['transformers.js'] : [])]
}

/** The names of the results that the Hub has a metric for, by that metric. */
function knownMetrics(results: Results | undefined): ReadonlyMap<string, string> {
  const known = [...(results ?? new Map<string, MetricValue>()).keys()].flatMap(name => {
    const metric = name.toLowerCase().replaceAll(' ', '_')
    if (hubMetrics.includes(metric)) return [[metric, name] as const]
    return metric === 'rouge1' ? [['rouge', name] as const] : []
  })
  return new Map(known)
}

/** One result for each task and dataset; without a dataset or a metric the Hub would refuse it. */
function resultsByTask(
  { task, source, results }: MetadataParts,
  options: ModelCardOptions,
  known: ReadonlyMap<string, string>,
): Yaml[] {
  if (known.size === 0) return []
  const tags = datasetIds(options, source)
  const names = listed(options.dataset ?? tags)
  const configurations = listed(
    options.datasetArgs ?? (tags[0] === source?.repository ? source?.configuration : undefined),
  )
  const metrics = [...known].map(([type, name]) => ({ name, type, value: yamlValue(name, results!.get(name)!) }))
  return listed(options.tasks ?? pipelines[task] ?? []).flatMap(type =>
    tags.map((tag, i) => ({
      task: { name: taskNames[type] ?? inWords(type), type },
      dataset: {
        name: names[i] ?? tag,
        type: tag,
        ...(configurations[i] === undefined ? {} : { config: configurations[i] }),
        ...(tag === source?.repository && source.split !== undefined ? { split: source.split } : {}),
        ...(configurations[i] === undefined ? {} : { args: configurations[i] }),
      },
      metrics,
    })),
  )
}

function yamlValue(name: string, value: MetricValue): Yaml {
  if (typeof value === 'number') return isCount(name, value) ? BigInt(value) : value
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** `text-classification` → Text Classification. */
function inWords(tag: string): string {
  return tag
    .split('-')
    .map(word => word.charAt(0).toUpperCase() + word.slice(1))
    .join(' ')
}

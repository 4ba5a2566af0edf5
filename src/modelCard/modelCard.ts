// a run → README.md, as Python's Trainer and the Hub know it
import type { TrainableModel } from '../auto/TrainableModel'
import type { LogEntry } from '../callbacks/TrainerState'
import { runtimeVersion } from '../engine/runtimeVersion'
import { checkWritable } from '../files/folder'
import { frontMatterOf } from '../files/frontMatter'
import { packageVersion } from '../files/packageVersion'
import { readText } from '../files/readFile'
import { writeFileWhole } from '../files/writeFile'
import { log } from '../logging'
import type { TrainingArguments } from '../TrainingArguments'
import { type BaseModel, baseModelOf } from './baseModel'
import { hyperparameters } from './hyperparameters'
import { datasetIds, type DatasetSource, metadata, sourceOf } from './metadata'
import { checkCardOptions, listed, type ModelCardOptions } from './options'
import { type Results, resultsOf, resultsTable, written } from './results'
import { readYaml, writeYaml } from './yaml'

export type { ModelCardOptions } from './options'

/** What the run knows. */
export interface CardParts {
  readonly args: TrainingArguments
  readonly model: TrainableModel
  readonly logHistory: readonly LogEntry[]
  /** The optimizer's name, after training. */
  readonly optimizer: string | undefined
  /** What it was evaluated on, and trained on. */
  readonly datasets: readonly unknown[]
}

/** What a card is made of beside the options. */
interface Findings {
  readonly base: BaseModel
  readonly tags: readonly string[]
  readonly source: DatasetSource | undefined
}

/** Writes `README.md` into the arguments' folder, and keeps the tags of an older one. */
export async function writeModelCard(parts: CardParts, options: ModelCardOptions): Promise<void> {
  checkCardOptions(options, 'createModelCard()')
  const { outputDir } = parts.args
  await checkWritable(outputDir)
  const path = `${outputDir}/README.md`
  const base = await baseModelOf(options.finetunedFrom, parts.model.origin, parts.args.hubToken)
  const tags = tagsOf((await readText(path)) ?? '', path)
  const card = modelCard(parts, options, { base, tags, source: sourceOf(parts.datasets) })
  await writeFileWhole(path, new TextEncoder().encode(card))
}

/** The text of a model card: the fields that the Hub reads, the results, how the model was trained. */
function modelCard(parts: CardParts, options: ModelCardOptions, { base, tags, source }: Findings): string {
  const name = options.modelName ?? lastPart(parts.args.outputDir) ?? base.id ?? 'model'
  const results = resultsOf(parts.logHistory)
  const { task } = parts.model.definition.head
  const isAdapter = parts.model.saved.adapter !== undefined
  const known = { name, base: base.id, license: base.license, task, modelType: modelTypeOf(parts.model), isAdapter }
  const table = resultsTable(parts.logHistory)
  return [
    `---\n${writeYaml(metadata({ ...known, tags, source, results }, options))}---`,
    '',
    '<!-- This model card has been generated automatically according to the information the Trainer had access to. You',
    'should probably proofread and complete it, then remove this comment. -->',
    '',
    `# ${name}`,
    '',
    `${origin(base.id)} on ${datasetsText(listed(options.dataset ?? datasetIds(options, source)))}.`,
    ...achieved(results),
    '',
    ...section('## Model description'),
    ...section('## Intended uses & limitations'),
    ...section('## Training and evaluation data'),
    '## Training procedure',
    '',
    '### Training hyperparameters',
    '',
    'The following hyperparameters were used during training:',
    ...hyperparameters(parts.args, parts.optimizer),
    '',
    ...(table.length === 0 ? [] : ['### Training results', '', ...table, '', '']),
    '### Framework versions',
    '',
    ...versions(),
    '',
  ].join('\n')
}

function origin(base: string | undefined): string {
  return base === undefined
    ? 'This model was trained from scratch'
    : `This model is a fine-tuned version of [${base}](https://huggingface.co/${base})`
}

function datasetsText(names: readonly string[]): string {
  const last = names.at(-1)
  if (last === undefined) return 'an unknown dataset'
  if (names.length === 1) return `the ${last} dataset`
  return `${names
    .slice(0, -1)
    .map(name => `the ${name}`)
    .join(', ')} and the ${last} datasets`
}

function achieved(results: Results | undefined): string[] {
  if (results === undefined) return []
  const lines = [...results].map(([name, value]) => `- ${name}: ${written(name, value)}`)
  return ['It achieves the following results on the evaluation set:', ...lines]
}

function section(title: string): string[] {
  return [title, '', 'More information needed', '']
}

function versions(): string[] {
  const runtime = runtimeVersion()
  return [
    `- ts-trainer ${packageVersion()}`,
    ...(runtime === undefined ? [] : [`- ONNX Runtime ${runtime}`]),
    `- Node.js ${process.versions.node}`,
  ]
}

/** What config.json names. */
function modelTypeOf(model: TrainableModel & { readonly config?: unknown }): string | undefined {
  const { config } = model
  if (typeof config !== 'object' || config === null || !('model_type' in config)) return undefined
  return String(config.model_type)
}

/** The last name of a path; undefined where that is none. */
function lastPart(path: string): string | undefined {
  const last = path.split(/[\\/]/).findLast(part => part !== '')
  return last === '.' || last === '..' ? undefined : last
}

/** The tags of an older card. */
function tagsOf(card: string, path: string): string[] {
  try {
    const { tags } = readYaml(frontMatterOf(card) ?? '')
    const all: readonly unknown[] = Array.isArray(tags) ? tags : [tags]
    return all.filter(tag => typeof tag === 'string' && tag !== '') as string[]
  } catch (cause) {
    log('warning', `The YAML of ${path} cannot be read, so its tags are not kept: ${(cause as Error).message}`)
    return []
  }
}

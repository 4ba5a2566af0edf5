import { TrainerError } from '../errors'
import { log } from '../logging'
import type { DataType, Tensor } from '../tensor'
import { loadWeights, type WeightsSource } from '../files/weights'

/** A parameter that a model has: its name, as Hugging Face spells it, and its shape. */
export interface ExpectedTensor {
  readonly name: string
  readonly dims: readonly number[]
}

/** How tensors of a checkpoint are matched with parameters. */
export interface MatchOptions {
  /** How names of the encoder's parameters begin in a model with a head, without the dot: `bert`, `roberta`. */
  readonly baseModelPrefix?: string | undefined
  /** Take tensors of another shape as missing instead of refusing them; false by default. */
  readonly ignoreMismatchedSizes?: boolean | undefined
  /** Further old names: what to look for in a tensor's name, and its replacement. */
  readonly renames?: readonly (readonly [RegExp, string])[] | undefined
}

/** Which tensor of a checkpoint belongs to which parameter. Names are sorted. */
export interface WeightsMatch {
  /** From the parameter's name to the tensor's. */
  readonly sources: ReadonlyMap<string, string>
  /** Parameters without a tensor in the checkpoint. */
  readonly missing: readonly string[]
  /** Tensors of the checkpoint without a parameter in the model. */
  readonly unexpected: readonly string[]
  /** Parameters whose tensor has another shape; empty unless `ignoreMismatchedSizes`. */
  readonly mismatched: readonly {
    readonly name: string
    readonly found: readonly number[]
    readonly expected: readonly number[]
  }[]
}

/** The weights of a folder for a model. */
export interface LoadedWeights extends Omit<WeightsMatch, 'sources'> {
  readonly weights: ReadonlyMap<string, Tensor<'float32'>>
}

/** What is known of a checkpoint's tensors before any is read. */
type AvailableTensors = Pick<WeightsSource, 'folder' | 'shapes'> & Partial<Pick<WeightsSource, 'types'>>

/** Names of LayerNorm's parameters in checkpoints converted from TensorFlow, such as bert-base-uncased. */
const oldNames: readonly (readonly [RegExp, string])[] = [
  [/LayerNorm\.gamma$/, 'LayerNorm.weight'],
  [/LayerNorm\.beta$/, 'LayerNorm.bias'],
]

/**
 * The weights of a folder for the parameters of a model, found like Python's `from_pretrained` does.
 *
 * Unexpected tensors are not read. The caller has to initialise what is missing.
 * @throws TrainerError as `loadWeights` and `matchWeights` do.
 */
export async function loadPretrained(
  folder: string,
  expected: readonly ExpectedTensor[],
  options: MatchOptions = {},
): Promise<LoadedWeights> {
  const source = await loadWeights(folder)
  try {
    const { sources, ...rest } = matchWeights(expected, source, options)
    tellOfWrappers(folder, sources)
    warnOfLayers(folder, expected, rest.unexpected)
    const weights = new Map<string, Tensor<'float32'>>()
    for (const [name, stored] of sources) weights.set(name, await source.read(stored))
    return { weights, ...rest }
  } finally {
    await source.close()
  }
}

/**
 * Finds each parameter's tensor in a checkpoint: by its own name, else with the base model's prefix added or removed (a
 * base model into a head, or the reverse), else by an old name, or without what DistributedDataParallel,
 * `torch.compile` and classes around a model put before every name. A tensor of the exact name comes first.
 * @throws TrainerError (`model`) when a shape differs, unless `ignoreMismatchedSizes`; when a tensor's type is one of
 * integers; or when no tensor at all belongs to the model.
 */
export function matchWeights(
  expected: readonly ExpectedTensor[],
  available: AvailableTensors,
  options: MatchOptions = {},
): WeightsMatch {
  const wanted = new Map(expected.map(({ name, dims }) => [name, dims]))
  const found = new Map<string, string>()
  const unexpected: string[] = []
  const exactFirst = [...available.shapes.keys()].sort((a, b) => Number(wanted.has(b)) - Number(wanted.has(a)))
  for (const stored of exactFirst) {
    const name = presentNames(stored, options).find(candidate => wanted.has(candidate) && !found.has(candidate))
    if (name === undefined) unexpected.push(stored)
    else found.set(name, stored)
  }
  if (found.size === 0 && expected.length > 0) throw nothingMatches(expected, available)
  for (const stored of found.values()) refuseCodes(stored, available)
  const mismatched = expected.flatMap(({ name, dims }) => {
    const shape = available.shapes.get(found.get(name) ?? '')
    return shape === undefined || sameShape(shape, dims) ? [] : [{ name, found: shape, expected: dims }]
  })
  if (mismatched.length > 0 && options.ignoreMismatchedSizes !== true) throw wrongShapes(mismatched, available.folder)
  for (const { name } of mismatched) found.delete(name)
  const refused = new Set(mismatched.map(({ name }) => name))
  return {
    sources: found,
    missing: expected
      .map(({ name }) => name)
      .filter(name => !found.has(name) && !refused.has(name))
      .sort(),
    unexpected: unexpected.sort(),
    mismatched,
  }
}

/**
 * Hugging Face's warning of weights that start at random, in its own words; undefined when none do.
 * @param model the model's class, `BertForSequenceClassification`.
 * @param checkpoint where it was loaded from, as the user wrote it.
 */
export function newlyInitializedWarning(
  model: string,
  checkpoint: string,
  match: Pick<WeightsMatch, 'missing' | 'mismatched'>,
): string | undefined {
  const train =
    'You should probably TRAIN this model on a down-stream task to be able to use it for predictions and inference.'
  const start =
    `Some weights of ${model} were not initialized from the model checkpoint at ${checkpoint} ` +
    'and are newly initialized'
  const texts: string[] = []
  if (match.missing.length > 0) texts.push(`${start}: [${match.missing.map(name => `'${name}'`).join(', ')}]\n${train}`)
  if (match.mismatched.length > 0) {
    const lines = match.mismatched.map(({ name, found, expected }) => {
      const shapes = `${shapeText(found)} in the checkpoint and ${shapeText(expected)} in the model instantiated`
      return `- ${name}: found shape ${shapes}`
    })
    texts.push(`${start} because the shapes did not match:\n${lines.join('\n')}\n${train}`)
  }
  return texts.length === 0 ? undefined : texts.join('\n')
}

/**
 * Hugging Face's message of tensors that the model has no place for, in its own words; undefined when there are none. Tables
 * that older versions of Python stored beside the weights (`position_ids`) are none.
 */
export function unusedMessage(
  model: string,
  checkpoint: string,
  { unexpected }: Pick<WeightsMatch, 'unexpected'>,
): string | undefined {
  const unused = unexpected.filter(name => !/(?:^|\.)embeddings\.(?:position_ids|token_type_ids)$/.test(name))
  if (unused.length === 0) return undefined
  const names = unused.map(name => `'${name}'`).join(', ')
  return `Some weights of the model checkpoint at ${checkpoint} were not used when initializing ${model}: [${names}]`
}

/** Every name that a checkpoint's tensor may have in the model, the likeliest first. */
function presentNames(stored: string, { baseModelPrefix, renames = [] }: MatchOptions): string[] {
  const rename = (name: string): string =>
    [...oldNames, ...renames].reduce((text, [old, present]) => text.replace(old, present), name)
  const bare = unwrapped(stored)
  return [stored, rename(stored), bare, rename(bare)].flatMap(name => {
    if (baseModelPrefix === undefined || baseModelPrefix === '') return [name]
    const prefix = `${baseModelPrefix}.`
    return name.startsWith(prefix) ? [name, name.slice(prefix.length)] : [name, prefix + name]
  })
}

/** A tensor's name without what wrappers of a model put before it. */
function unwrapped(stored: string): string {
  return stored.replaceAll('_orig_mod.', '').replace(/^(?:(?:module|model)\.)+/, '')
}

function tellOfWrappers(folder: string, sources: ReadonlyMap<string, string>): void {
  const wrapped = [...sources]
    .filter(([name, stored]) => name !== stored && unwrapped(stored) !== stored && !name.endsWith(`.${stored}`))
    .map(([, stored]) => stored)
  if (wrapped.length === 0) return
  const [first] = wrapped
  log(
    'info',
    `${wrapped.length} weights of ${folder} have names with a wrapper's prefix (module., _orig_mod. or model.) and ` +
      `are loaded without it: '${first}' as '${unwrapped(first!)}'.`,
  )
}

/** Layers that a file has and the config does not count would go unnoticed: other parts (a pretraining head) belong there. */
function warnOfLayers(folder: string, expected: readonly ExpectedTensor[], unexpected: readonly string[]): void {
  const anyLayer = (name: string): string => name.replaceAll(/\.\d+\./g, '.#.')
  const known = new Set(expected.map(({ name }) => anyLayer(name)).filter(name => name.includes('.#.')))
  const layers = unexpected.filter(name => [...known].some(layer => layer.endsWith(anyLayer(unwrapped(name)))))
  if (layers.length === 0) return
  log(
    'warning',
    `${folder} has ${layers.length} weights of layers that its config does not count ('${layers[0]}', …): they are ` +
      'not used, as in Python. Is the number of layers in config.json right?',
  )
}

/** Integers are the codes of a quantized model: as weights they would mean something else. */
function refuseCodes(stored: string, { folder, types }: AvailableTensors): void {
  const type = types?.get(stored)
  if (type === undefined || floatingTypes.includes(type)) return
  throw new TrainerError('model', `Tensor '${stored}' of ${folder} holds ${type}, but weights are floating point.`, {
    fix:
      'These are codes of a quantized model: take the model before it was quantized, or dequantize it in Python ' +
      '(model.dequantize()) and save it in float32.',
  })
}

const floatingTypes: readonly DataType[] = ['float32', 'float16', 'bfloat16', 'float64']

function nothingMatches(expected: readonly ExpectedTensor[], available: AvailableTensors): TrainerError {
  const some = (names: string[]): string =>
    names
      .slice(0, 3)
      .map(name => `'${name}'`)
      .join(', ')
  const { folder, shapes } = available
  if (shapes.size === 0) {
    return new TrainerError('model', `The weights of ${folder} hold no tensors.`, {
      fix: 'Save the model again in Python: model.save_pretrained(folder).',
    })
  }
  const what = `None of the ${shapes.size} tensors of ${folder} (${some([...shapes.keys()])}, …) belongs to this model`
  return new TrainerError('model', `${what}, which expects ${some(expected.map(({ name }) => name))}, ….`, {
    fix: 'Check that model_type in config.json fits the weights.',
  })
}

function wrongShapes(mismatched: WeightsMatch['mismatched'], folder: string): TrainerError {
  const lines = mismatched.map(
    ({ name, found, expected }) =>
      `'${name}' has shape ${shapeText(found)} in the checkpoint and ${shapeText(expected)} in the model`,
  )
  return new TrainerError('model', `Weights of ${folder} do not fit: ${lines.join('; ')}.`, {
    fix:
      'Correct the config (numLabels, vocab_size, …), or pass ignoreMismatchedSizes: true ' +
      'to initialise these at random.',
  })
}

function shapeText(dims: readonly number[]): string {
  return `[${dims.join(', ')}]`
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i])
}

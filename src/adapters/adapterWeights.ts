// an adapter's tensors ↔ those of its file, under PEFT's names
import { quoted, TrainerError } from '../errors'
import type { WeightsSource } from '../files/weights'
import { lowRankNames } from '../models/lora'
import type { Model } from '../models/Model'
import type { Tensor } from '../tensor'
import { isInside, moduleName, type NamedModel } from './moduleNames'

/** How names of PEFT's begin: the model inside of its adapter, inside of its task. */
const wrapper = 'base_model.model.'

/** What of a model an adapter's file has, by name: what is trained, and what it was once trained with. */
export interface AdapterShape extends NamedModel<unknown> {
  readonly model: Model
  /** The names of layers that have A and B. */
  readonly layers: ReadonlySet<string>
  /** Second names of parameters, and the names that the model has them by. */
  readonly otherNames: ReadonlyMap<string, string>
}

/**
 * The names in a file of parameters, each with the parameter's own. What is inside a saved module stands there by both
 * its names where Python has two: PEFT looks for each.
 */
export function storedNames(
  names: readonly string[],
  modulesToSave: readonly string[],
  shape: AdapterShape,
): (readonly [string, string])[] {
  const seconds = [...shape.otherNames].filter(
    ([second, name]) => names.includes(name) && modulesToSave.some(module => isInside(second, module)),
  )
  const all = [...names.map(name => [name, name] as const), ...seconds]
  return all.map(([name, own]) => [storedName(name, shape), own] as const)
}

/** The name in a file of a parameter. */
function storedName(name: string, shape: AdapterShape): string {
  const [layer, end] = [name.slice(0, name.lastIndexOf('.')), name.slice(name.lastIndexOf('.'))]
  return wrapper + moduleName(layer, shape) + (shape.layers.has(layer) ? '.base_layer' : '') + end
}

/**
 * A name in a file without what PEFT puts around it, whoever wrote the file: names have the adapter's own in them, or
 * not.
 */
export function bareName(stored: string): string {
  return stored
    .replace(/^base_model\.model\./, '')
    .replace(/\.modules_to_save(\.default)?\./, '.')
    .replace(/\.base_layer\./, '.')
    .replace(/\.(lora_[AB])\.default\./, '.$1.')
}

/** The parameter that a tensor of a file belongs to; undefined where there is none. */
function parameterName(
  stored: string,
  shapes: ReadonlyMap<string, unknown>,
  { model, prefix, otherNames }: AdapterShape,
): string | undefined {
  const bare = bareName(stored)
  const name = otherNames.get(bare) ?? bare
  const names = model.head.task === 'feature-extraction' ? [name, `${prefix}.${name}`] : [name]
  return names.find(candidate => shapes.has(candidate))
}

/**
 * Reads an adapter's tensors for a model with that adapter.
 * @throws TrainerError ('model') for a layer of the adapter without its A or B, for a tensor that belongs to nothing, and
 * for a wrong shape.
 */
export async function readAdapter(
  source: WeightsSource,
  shape: AdapterShape,
): Promise<ReadonlyMap<string, Tensor<'float32'>>> {
  const shapes = new Map(shape.model.parameters.map(parameter => [parameter.name, parameter.shape]))
  const weights = new Map<string, Tensor<'float32'>>()
  for (const [stored, dims] of source.shapes) {
    if (stored.includes('.original_module.')) continue // what the head was before
    const name = parameterName(stored, shapes, shape)
    if (name === undefined) throw noPlace(stored, source, shape)
    const wanted = shapes.get(name)!
    if (wanted.join() !== dims.join()) {
      const problem = `${source.files[0]}: '${stored}' has the shape [${dims.join(', ')}], but ${shape.model.name} needs [${wanted.join(', ')}]`
      const isResized = isWords(name, shape) && dims.slice(1).join() === wanted.slice(1).join()
      throw new TrainerError('model', `${problem}.`, {
        fix: isResized
          ? `Its base had other words: load it, call base.resizeTokenEmbeddings(${dims[0]}), and give it to PeftModel.fromPretrained(base, folder).`
          : 'Is it the adapter of this model, and is its config.json whole?',
      })
    }
    weights.set(name, await source.read(stored))
  }
  const lost = [...shape.layers].flatMap(layer => Object.values(lowRankNames(layer))).filter(name => !weights.has(name))
  if (lost.length > 0)
    throw new TrainerError(
      'model',
      `${source.files[0]} lacks ${lost.length} tensors of its adapter, such as '${lost[0]}'.`,
      {
        fix: 'Its adapter_config.json means more layers than were trained: save both again together.',
      },
    )
  return weights
}

/** Whether a parameter is the table of words, or one of the head's that has a row for each word. */
function isWords(name: string, { model: { parameters, head } }: AdapterShape): boolean {
  const rows = new Map(parameters.map(one => [one.name, one.shape[0]]))
  const table = parameters.find(one => /\.(word|tok)_embeddings\.weight$/.test(one.name))
  return name === table?.name || (head.task === 'masked-lm' && rows.get(name) === table?.shape[0])
}

function noPlace(stored: string, { files }: WeightsSource, { model, layers }: AdapterShape): TrainerError {
  const [, layer = '', kind = ''] = /^(.*)\.(lora_\w+)/.exec(bareName(stored)) ?? []
  const isOther =
    kind !== '' && !(/^lora_[AB]$/.test(kind) && model.parameters.some(({ name }) => name === `${layer}.weight`))
  const examples = quoted([...layers].slice(0, 2))
  const config = `By its adapter_config.json it has adapters in ${examples}${layers.size > 2 ? ', …' : ''}: save both again together.`
  const retrain = `Supported are A and B of linear layers: train it again without an adapter of "${layer}".`
  return new TrainerError(
    'model',
    `${files[0]} has the tensor '${stored}', which belongs to nothing in ${model.name}.`,
    { fix: isOther ? retrain : config },
  )
}

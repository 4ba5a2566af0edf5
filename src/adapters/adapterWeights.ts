// an adapter's tensors ↔ those of its file, under PEFT's names
import { quoted, TrainerError } from '../errors'
import type { WeightsSource } from '../files/weights'
import { lowRankNames } from '../models/lora'
import type { Model } from '../models/Model'
import type { Tensor } from '../tensor'

/** How names of PEFT's begin: the model inside of its adapter, inside of its task. */
const wrapper = 'base_model.model.'

/** What of a model an adapter's file has, by name: what is trained, and what it was once trained with. */
export interface AdapterShape {
  readonly model: Model
  /** The names of layers that have A and B. */
  readonly layers: ReadonlySet<string>
  /** What the encoder's names begin with in a model with a head; Python's model without one has it not. */
  readonly prefix: string
  /** Second names of parameters that are tied to others, and the names of those. */
  readonly tied: ReadonlyMap<string, string>
}

/** The name in a file of a parameter. */
export function storedName(name: string, shape: AdapterShape): string {
  const [layer, end] = [name.slice(0, name.lastIndexOf('.')), name.slice(name.lastIndexOf('.'))]
  return wrapper + moduleName(layer, shape) + (shape.layers.has(layer) ? '.base_layer' : '') + end
}

/** What Python's model calls a part of a model. */
export function moduleName(name: string, { model, prefix }: AdapterShape): string {
  const isBare = model.head.task === 'feature-extraction' && name.startsWith(`${prefix}.`)
  return isBare ? name.slice(prefix.length + 1) : name
}

/** A name in a file without what PEFT puts around it, whoever wrote the file: names have the adapter's own in them, or not. */
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
  { model, prefix, tied }: AdapterShape,
): string | undefined {
  const bare = bareName(stored)
  const name = tied.get(bare) ?? bare
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
      throw new TrainerError('model', `${problem}.`, {
        fix: 'Is it the adapter of this model, and is its config.json whole?',
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

function noPlace(stored: string, { files }: WeightsSource, { model, layers }: AdapterShape): TrainerError {
  const examples = quoted([...layers].slice(0, 2))
  return new TrainerError(
    'model',
    `${files[0]} has the tensor '${stored}', which belongs to nothing in ${model.name}.`,
    {
      fix: `By its adapter_config.json it has adapters in ${examples}${layers.size > 2 ? ', …' : ''}: save both again together.`,
    },
  )
}

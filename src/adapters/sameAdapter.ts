// the adapter of a checkpoint, and the one that is to go on from it
import { quoted, TrainerError } from '../errors'
import { type LoraConfig, withLoraDefaults } from './LoraConfig'

/** What has to be the same of both. */
export interface ResumedAdapter {
  /** The parameters that are saved, by the model's own names. */
  readonly names: readonly string[]
  /** What is added to a layer is multiplied by this, by layers. */
  readonly scales: ReadonlyMap<string, number>
  readonly lora: LoraConfig
}

/**
 * @param folder the checkpoint's.
 * @throws TrainerError ('argument') for a checkpoint in which other weights were trained, or under another scale.
 */
export function checkSameAdapter(folder: string, stored: ResumedAdapter, own: ResumedAdapter): void {
  const only = (a: ResumedAdapter, b: ResumedAdapter): readonly string[] =>
    a.names.filter(name => !b.names.includes(name))
  const [more, less] = [only(stored, own), only(own, stored)]
  if (more.length > 0)
    throw new TrainerError('argument', `${folder} has ${some(more)}, which this adapter leaves as the base has them.`, {
      fix: 'Call model.unfreeze() with their names before train(), or give modulesToSave as it was.',
    })
  if (less.length > 0)
    throw new TrainerError('argument', `${folder} lacks ${some(less)}, which this adapter trains or saves.`, {
      fix: 'Leave them frozen, and out of modulesToSave and bias, as they were when the checkpoint was saved.',
    })
  const other = [...own.scales].find(([layer, scale]) => stored.scales.get(layer) !== scale)
  if (other === undefined) return
  const [layer, scale] = other
  const before = `multiplied by ${stored.scales.get(layer)} (${scaling(stored.lora)})`
  throw new TrainerError(
    'argument',
    `${folder}: what is added to "${layer}" is ${before}, but by ${scale} in this adapter (${scaling(own.lora)}).`,
    { fix: 'Give getPeftModel() what the checkpoint was trained with, or train without resumeFromCheckpoint.' },
  )
}

function some(names: readonly string[]): string {
  return `${quoted(names.slice(0, 3))}${names.length > 3 ? ` and ${names.length - 3} more` : ''}`
}

function scaling(lora: LoraConfig): string {
  const { r, loraAlpha, useRslora } = withLoraDefaults(lora)
  return `r ${r}, loraAlpha ${loraAlpha}${useRslora ? ', useRslora' : ''}`
}

// a model that computes with one table of words twice → the same with two tables, for an adapter that saves one of them
import { isInside } from '../adapters/moduleNames'
import type { TiedPair } from '../models/architecture'
import { architectureOf } from '../models/registry'
import { transformer } from '../models/transformer'
import { PreTrainedModel } from './PreTrainedModel'

/** The parameters of a model's head that the config may tie to others. */
export function tiesOf({ config, definition: { head } }: PreTrainedModel<unknown>): readonly TiedPair[] {
  return (head.task === 'feature-extraction' ? undefined : architectureOf(config).heads[head.task]?.tied) ?? []
}

/**
 * The model as an adapter is placed in it that saves these parts. PEFT trains a copy of what it saves: where that is the
 * table of words, or the head's product with it, the other stays as it was, and from then on there are two.
 */
export function withSavedTablesApart<Prediction>(
  model: PreTrainedModel<Prediction>,
  modulesToSave: readonly string[],
): PreTrainedModel<Prediction> {
  const isSaved = (name: string): boolean => modulesToSave.some(module => isInside(name, module))
  const tables = tiesOf(model).filter(({ own }) => own.endsWith('.weight'))
  const isApart = model.config.tie_word_embeddings === false
  if (isApart || !tables.some(({ own, shared }) => isSaved(own) || isSaved(shared))) return model
  const config = { ...model.config, tie_word_embeddings: false }
  const { head, parameters } = model.definition
  const definition = transformer(architectureOf(config), config, head)
  const sharedOf = new Map(tiesOf(model).map(({ own, shared }) => [own, shared]))
  const weights = definition.parameters.map(({ name }) => {
    const held = model.parameters.has(name) ? name : sharedOf.get(name)!
    return [name, model.parameter(held)] as const
  })
  const frozen = new Set(parameters.filter(({ trainable }) => !trainable).map(({ name }) => name))
  const marked = definition.parameters.map(one => ({ ...one, trainable: one.trainable && !frozen.has(one.name) }))
  return new PreTrainedModel<Prediction>(config, new Map(weights), { ...definition, parameters: marked }, model)
}

/** What the folder of a base lacks, or has otherwise: such weights are saved with its adapter. */
export function lackingIn(base: PreTrainedModel<unknown>): readonly string[] {
  const resized = new Set(base.resizedParameters)
  const tied = tiesOf(base).flatMap(({ own, shared }) => (resized.has(shared) ? [own] : []))
  return [...base.newlyInitialized, ...resized, ...tied].filter(name => base.parameters.has(name))
}

/** The parameters that a model has under two names. */
export function sharedIn(base: PreTrainedModel<unknown>): ReadonlySet<string> {
  if (base.config.tie_word_embeddings === false) return new Set()
  return new Set(tiesOf(base).flatMap(({ own, shared }) => [own, shared]))
}

import type { Model } from '../models/Model'
import type { Tensor } from '../tensor'

/** What artifacts need of a model: its loss and its feeds are theirs. */
export type ArtifactModel = Pick<
  Model,
  'name' | 'parameters' | 'openLengths' | 'declareInference' | 'forward' | 'exported'
>

/** A model and the values of its parameters. */
export interface ArtifactSource {
  readonly model: ArtifactModel
  weights(name: string): Tensor
}

import { checkOptions } from '../options'
import { readBytes } from '../files/readFile'
import type { Head } from '../heads/Head'
import { sequenceClassification } from '../heads/sequenceClassification'
import { checkedLossName, type LossName } from '../losses/lossNames'
import type { ParameterPatterns } from '../models/freeze'
import { onnxModel } from '../models/onnxModel'
import { readModel } from '../onnx/readModel'
import { Tensor } from '../tensor'
import { autoModelFor } from './autoModels'
import { TrainableModel } from './TrainableModel'

/** How a graph that was made elsewhere becomes a model. */
export interface FromOnnxOptions {
  /** The loss of what the head reads; by default the labels decide, as for a sequence classifier. */
  readonly loss?: LossName | undefined
  /** Which parameters are trained, by pattern; by default all: the initializers of type float32 with at least one axis. */
  readonly trainable?: ParameterPatterns | undefined
}

const fromOnnxOptions = Object.keys({ loss: 1, trainable: 1 } satisfies Record<keyof FromOnnxOptions, 1>)

const features = autoModelFor<Features>('feature-extraction')

/**
 * What a model without a head predicts: `last_hidden_state` [rows, length, width], and with it `pooler_output` [rows, width]
 * where the family has a pooler.
 */
export type Features = Tensor | readonly [lastHiddenState: Tensor, poolerOutput: Tensor]

/** Models of any kind. */
export const AutoModel = {
  /**
   * The encoder of a folder, or of a repository by its id, without a head, for features: `trainer.predict(dataset)` gives what it makes of each token,
   * `last_hidden_state` [rows, length, width] (-100 where a row is padding), for families with a pooler (albert, bert, mpnet, roberta and its kin) in
   * a list with `pooler_output` [rows, width]. It has no loss: training it is refused. Saved, it is the model of
   * transformers.js's pipeline `feature-extraction`.
   *
   * @example
   * const model = await AutoModel.fromPretrained('./all-MiniLM-L6-v2')
   * const trainer = new Trainer({ model, args: { outputDir: './out' }, processingClass: tokenizer })
   * const { predictions } = await trainer.predict(encoded)
   * @throws TrainerError for a missing or broken file, or a model_type that is not supported.
   */
  fromPretrained: features.fromPretrained,
  /** The same of a config, all of whose weights start at random. @throws TrainerError for a config that cannot be. */
  fromConfig: features.fromConfig,
  /**
   * A forward graph that was exported elsewhere (by PyTorch, say) as a model for the Trainer: its initializers are the
   * parameters. Its output `logits`, or else its first one, [rows, width], is what the loss is computed from; a collator gives its inputs under
   * their names in the graph, and `labels`.
   *
   * @example const model = await AutoModel.fromOnnx('./forward.onnx', { loss: 'mean_squared_error' })
   * @throws TrainerError ('file') when the file cannot be read, ('graph') when an operator is not known, ('argument') for
   * a loss or a pattern that there is not.
   */
  async fromOnnx(file: string, options: FromOnnxOptions = {}): Promise<TrainableModel> {
    checkOptions(options, fromOnnxOptions, 'AutoModel.fromOnnx()')
    const loss = options.loss === undefined ? undefined : checkedLossName(options.loss, 'loss')
    const head = (width: number): Head => {
      const open = sequenceClassification(width)
      return loss === undefined ? open : open.withLoss(loss)
    }
    const model = readModel(await readBytes(file))
    const definition = onnxModel(model, { name: file, head, trainable: options.trainable })
    const weights = definition.parameters.map(({ name, shape }) => {
      const { data } = model.graph.initializers.get(name) as Tensor<'float32'>
      return [name, new Tensor('float32', Float32Array.from(data), shape)] as const
    })
    return new TrainableModel(definition, new Map(weights), file)
  },
}

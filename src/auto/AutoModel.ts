import { checkOptions } from '../options'
import { readBytes } from '../files/readFile'
import type { Head } from '../heads/Head'
import { sequenceClassification } from '../heads/sequenceClassification'
import { checkedLossName, type LossName } from '../losses/lossNames'
import type { ParameterPatterns } from '../models/freeze'
import { onnxModel } from '../models/onnxModel'
import { decode } from '../onnx/decode'
import { Tensor } from '../tensor'
import { TrainableModel } from './TrainableModel'

/** How a graph that was made elsewhere becomes a model. */
export interface FromOnnxOptions {
  /** The loss of what the head reads; by default the labels decide, as for a sequence classifier. */
  readonly loss?: LossName | undefined
  /** Which parameters are trained, by pattern; by default all: the initializers of type float32 with at least one axis. */
  readonly trainable?: ParameterPatterns | undefined
}

const fromOnnxOptions = Object.keys({ loss: 1, trainable: 1 } satisfies Record<keyof FromOnnxOptions, 1>)

/** Models of any kind. */
export const AutoModel = {
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
    const graph = decode(await readBytes(file))
    const definition = onnxModel(graph, { name: file, head, trainable: options.trainable })
    const weights = definition.parameters.map(({ name, shape }) => {
      const { data } = graph.initializers.get(name)!.tensor as Tensor<'float32'>
      return [name, new Tensor('float32', Float32Array.from(data), shape)] as const
    })
    return new TrainableModel(definition, new Map(weights), file)
  },
}

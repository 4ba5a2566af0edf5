import { checkOptions } from '../options'
import { checkedLossName, type LossSpelling } from '../losses/lossNames'
import type { ParameterPatterns } from '../models/freeze'
import { onnxModel } from '../models/onnxModel'
import { Tensor } from '../tensor'
import { checkOwnHead } from '../heads/ownChecks'
import type { OwnHead, OwnPredictions } from '../heads/OwnHead'
import type { ModelConfig } from '../models/config'
import { autoModelFor } from './autoModels'
import type { HeadChoice } from './headOf'
import { readOnnxFile } from './onnxFile'
import type { ModelOptions, PretrainedOptions } from './modelOptions'
import type { PreTrainedModel } from './PreTrainedModel'
import { TrainableModel } from './TrainableModel'

/** How a graph that was made elsewhere becomes a model. */
export interface FromOnnxOptions {
  /**
   * The loss of the output: cross-entropy over its last axis; or of each element binary cross-entropy
   * ('bce_with_logits'), the squared error ('mse') or the absolute error ('l1'). Any name may have hyphens. By default the labels decide: of an output [rows, width] as for a sequence
   * classifier; of one with more axes whole numbers are classes, all others numbers. An output that a Softmax or a
   * Sigmoid makes has the loss that goes with it, which is computed from what goes into that.
   */
  readonly loss?: LossSpelling | undefined
  /**
   * The output that the loss is computed from; by default the one called `logits`, or else the only one of a
   * floating-point type.
   */
  readonly output?: string | undefined
  /**
   * Which parameters are trained, by pattern; by default all: the initializers of type float32 with at least one axis
   * that a gradient goes back to. A scalar is trained only where a pattern names it. Statistics, exponents, bounds and
   * fills are never trained.
   */
  readonly trainable?: ParameterPatterns | undefined
}

const fromOnnxOptions = Object.keys({ loss: 1, output: 1, trainable: 1 } satisfies Record<keyof FromOnnxOptions, 1>)

/**
 * What a model without a head predicts: `last_hidden_state` [rows, length, width], and with it `pooler_output` [rows, width]
 * where the family has a pooler.
 */
export type Features = Tensor | readonly [lastHiddenState: Tensor, poolerOutput: Tensor]

/** What the encoder of `AutoModel` has behind it. */
interface WithHead<Chosen> {
  /** A head of your own, which {@link ownHead} makes. Default: none, for features. */
  readonly head?: Chosen
}

type AnyOwnHead = OwnHead<string, never>

/** What a model with a head of the user's own predicts, or one with none. */
type PredictionsOf<Chosen> =
  Chosen extends OwnHead<infer Outputs, infer Labels> ? OwnPredictions<Outputs, Labels> : Features

/** Models of any kind. */
export const AutoModel = {
  /**
   * The encoder of a folder, or of a repository by its id, without a head, for features: `trainer.predict(dataset)` gives what it makes of each token,
   * `last_hidden_state` [rows, length, width] (-100 where a row is padding), for families with a pooler (albert, bert, mpnet, roberta and its kin) in
   * a list with `pooler_output` [rows, width]. It has no loss: training it is refused. Saved, it is the model of
   * transformers.js's pipeline `feature-extraction`.
   *
   * With `head` it has a head of your own, see {@link ownHead}: it is trained, and predicts a tensor for each output, by name.
   *
   * @example
   * const model = await AutoModel.fromPretrained('./all-MiniLM-L6-v2')
   * const trainer = new Trainer({ model, args: { outputDir: './out' }, processingClass: tokenizer })
   * const { predictions } = await trainer.predict(encoded)
   * @throws TrainerError for a missing or broken file, a model_type that is not supported, or a head that cannot be.
   */
  async fromPretrained<Chosen extends AnyOwnHead | undefined = undefined>(
    folderOrId: string,
    options: PretrainedOptions & WithHead<Chosen> = {},
  ): Promise<PreTrainedModel<PredictionsOf<Chosen>>> {
    const { head, ...rest } = options
    return autoModelFor<PredictionsOf<Chosen>>(chosen(head)).fromPretrained(folderOrId, rest)
  },
  /** The same of a config, all of whose weights start at random. @throws TrainerError for a config that cannot be. */
  fromConfig<Chosen extends AnyOwnHead | undefined = undefined>(
    config: ModelConfig,
    options: ModelOptions & WithHead<Chosen> = {},
  ): PreTrainedModel<PredictionsOf<Chosen>> {
    const { head, ...rest } = options
    return autoModelFor<PredictionsOf<Chosen>>(chosen(head)).fromConfig(config, rest)
  },
  /**
   * A forward graph that was exported elsewhere (by PyTorch, say) as a model for the Trainer: its initializers are the
   * parameters. The loss is computed from its output `logits` [rows, …], or else its only one of a floating-point type; a collator gives its
   * inputs under their names in the graph, and `labels`. Dropout drops in training and only there. Tensors that are stored in files beside it are
   * read; float16, bfloat16 and float64 become float32.
   *
   * @example const model = await AutoModel.fromOnnx('./forward.onnx', { loss: 'mean_squared_error' })
   * @throws TrainerError ('file') when the file, or one that it names, cannot be read, ('graph') when an operator is not known, or of several
   * outputs none is called `logits`, ('argument') for a loss, an output or a pattern that there is not.
   */
  async fromOnnx(file: string, options: FromOnnxOptions = {}): Promise<TrainableModel> {
    checkOptions(options, fromOnnxOptions, 'AutoModel.fromOnnx()')
    const loss = options.loss === undefined ? undefined : checkedLossName(options.loss, 'loss')
    const model = await readOnnxFile(file)
    const definition = onnxModel(model, { ...options, name: file, loss })
    const weights = definition.parameters.map(({ name, shape }) => {
      const { data } = model.graph.initializers.get(name) as Tensor<'float32'>
      return [name, new Tensor('float32', Float32Array.from(data), shape)] as const
    })
    return new TrainableModel(definition, new Map(weights), { nameOrPath: file })
  },
}

/** @throws TrainerError ('argument') for what is no head, before anything is fetched. */
function chosen(head: AnyOwnHead | undefined): HeadChoice {
  if (head === undefined) return 'feature-extraction'
  checkOwnHead(head)
  return head
}

import { TrainableModel } from '../auto/TrainableModel'
import { quoted, TrainerError } from '../errors'
import type { ParameterPatterns } from '../models/freeze'
import type { OptimizerMemory, UpdateRule } from '../optim/UpdateRule'
import { checkFlag, checkText, refuseArguments, shown, withDefaults } from '../options'
import { inferenceGraph } from '../programs/inference'
import { sizeOf, Tensor } from '../tensor'
import { type Accumulation, type ArtifactParts, artifactsModel } from './artifactsModel'
import type { Checkpoint } from './Checkpoint'
import { writeCheckpointFile } from './checkpointFile'
import { checkSameLoss } from './lossForms'
import { MomentMemory } from './momentMemory'
import { type Artifacts, readArtifacts } from './readArtifacts'
import { type Signature, signatureOf } from './signature'
import { writeGraph } from './writeGraph'

/** How artifacts are read. */
export interface TrainingArtifactsOptions {
  /** What stands before the name of each file. Default: nothing. */
  readonly prefix?: string | undefined
  /** Another checkpoint than PREFIXcheckpoint: a name in the folder, or a path. */
  readonly checkpoint?: string | undefined
  /** Reads PREFIXnominal_checkpoint, whose parameters {@link TrainingArtifacts.loadParameters} gives. Default false. */
  readonly nominal?: boolean | undefined
  /**
   * What the gradients of an update's micro-batches come to: their mean (the default, as Hugging Face's Trainer has it
   * for models that compute their own loss), or their sum, as ONNX Runtime Training adds them up.
   */
  readonly accumulation?: Accumulation | undefined
  /**
   * The values of the evaluation graph that predictions are. Default: its further outputs; if it has none, `logits`; if
   * there is none, what the loss is computed from.
   */
  readonly outputs?: readonly string[] | undefined
}

/** Which parameters are meant. */
export interface ContiguousOptions {
  /** Those alone that are trained. Default false. */
  readonly trainableOnly?: boolean | undefined
}

/** What a checkpoint is to hold. */
export interface SaveCheckpointOptions {
  /** Whether the optimizer's moments and step are written too, so that training can go on from them. Default true. */
  readonly includeOptimizerState?: boolean | undefined
}

/**
 * Training artifacts of ONNX Runtime, official ones or those of `generateArtifacts()`, as a model: their training graph
 * gives loss and gradients, their evaluation graph evaluates and predicts, their optimizer graph decides the update
 * rule, and training starts from their checkpoint, with its optimizer's state.
 *
 * @example
 * const model = await TrainingArtifacts.fromPretrained('./artifacts')
 * const trainer = new Trainer({ model, args: { outputDir: './out', learningRate: 1e-3 }, trainDataset })
 * await trainer.train()
 * await model.saveCheckpoint('./artifacts/checkpoint')
 */
export class TrainingArtifacts extends TrainableModel {
  readonly #parts: ArtifactParts
  readonly #checkpoint: Artifacts['checkpoint']
  readonly #rule: UpdateRule | undefined
  readonly #memory: MomentMemory
  /** Whether the parameters have no values yet. */
  #isNominal: boolean

  private constructor({ checkpoint, optimizer }: Artifacts, parts: ArtifactParts, folder: string) {
    super(artifactsModel(parts), startingWeights(parts.signature, checkpoint), { nameOrPath: folder })
    this.#parts = parts
    this.#checkpoint = checkpoint
    this.#rule = optimizer
    this.#isNominal = checkpoint.isNominal
    const shapes = new Map(parts.signature.parameters.map(({ name, shape }) => [name, shape]))
    const { file, optimizer: state } = checkpoint
    const trained = [...checkpoint.trained.keys()]
    this.#memory = new MomentMemory({ file, state, shapes, trained, named: optimizer?.moments ?? 0 })
  }

  /**
   * Reads PREFIXtraining_model.onnx, PREFIXeval_model.onnx, PREFIXcheckpoint, and PREFIXoptimizer_model.onnx if it is
   * there; without it the training arguments decide the update rule.
   * @throws TrainerError ('file') for a file that is missing, damaged or of another kind, or files that were not
   * generated together; ('graph') for an operator without a rule; ('argument') for an option that it does not have.
   */
  static async fromPretrained(folder: string, options: TrainingArtifactsOptions = {}): Promise<TrainingArtifacts> {
    const { prefix, checkpoint, nominal, accumulation, outputs } = checkedOptions(options)
    const artifacts = await readArtifacts({ folder, prefix, checkpoint, isNominal: nominal })
    const { training, evaluation, checkpoint: read } = artifacts
    const signature = signatureOf(training, evaluation, read, outputs)
    checkSameLoss(training, evaluation, signature.labels)
    const constants = new Map([...read.frozen].filter(([, { dtype }]) => dtype !== 'float32'))
    return new TrainingArtifacts(artifacts, { training, evaluation, signature, constants, accumulation }, folder)
  }

  override get updateRule(): UpdateRule | undefined {
    return this.#rule
  }

  override get optimizerMemory(): OptimizerMemory {
    return this.#memory
  }

  override checkWeights(): void {
    if (!this.#isNominal) return
    const { file } = this.#checkpoint
    throw new TrainerError('model', `${file} is a nominal checkpoint: it has the names of parameters, but no values.`, {
      fix: 'Give them with loadParameters(buffer) first, or load the full checkpoint.',
    })
  }

  override parameter(name: string): Tensor<'float32'> {
    const tensor = super.parameter(name)
    this.checkWeights()
    return tensor
  }

  /**
   * The values of the parameters, trained and frozen ones, one after another in the order of the training graph's
   * inputs: what `get_contiguous_parameters` returns.
   * @throws TrainerError ('model') where a nominal checkpoint's have not been given yet.
   */
  getContiguousParameters(options: ContiguousOptions = {}): Float32Array {
    const names = this.#contiguous(options, 'getContiguousParameters()')
    const tensors = names.map(name => this.parameter(name))
    const buffer = new Float32Array(tensors.reduce((sum, { size }) => sum + size, 0))
    let at = 0
    for (const { data } of tensors) {
      buffer.set(data, at)
      at += data.length
    }
    return buffer
  }

  /**
   * Takes the values of the parameters, in the order of {@link TrainingArtifacts.getContiguousParameters}: what
   * `copy_buffer_to_parameters` does. To be called before `train()`.
   * @throws TrainerError ('argument') for another number of values, or where a nominal checkpoint needs all.
   */
  loadParameters(buffer: Float32Array, options: ContiguousOptions = {}): void {
    const names = this.#contiguous(options, 'loadParameters()')
    if (!(buffer instanceof Float32Array))
      throw new TrainerError('argument', `loadParameters() takes a Float32Array, not ${shown(buffer)}.`)
    if (this.#isNominal && names.length < this.parameters.size) {
      const problem = `${this.#checkpoint.file} is a nominal checkpoint, so frozen parameters have no values either`
      throw new TrainerError('argument', `${problem}.`, { fix: 'Leave trainableOnly out, and give all values.' })
    }
    const sizes = names.map(name => this.parameters.get(name)!.size)
    const size = sizes.reduce((sum, own) => sum + own, 0)
    if (buffer.length !== size) {
      const of = options.trainableOnly === true ? 'trained parameters' : 'parameters'
      throw new TrainerError('argument', `The ${of} have ${size} values, but ${buffer.length} were given.`)
    }
    let at = 0
    names.forEach((name, i) => {
      this.parameters.get(name)!.data.set(buffer.subarray(at, at + sizes[i]!))
      at += sizes[i]!
    })
    this.#isNominal = false
  }

  #contiguous(options: ContiguousOptions, where: string): readonly string[] {
    const { trainableOnly } = withDefaults(options, { trainableOnly: false }, where)
    checkFlag(trainableOnly, 'trainableOnly')
    const { parameters } = this.#parts.signature
    return parameters.filter(({ gradient }) => !trainableOnly || gradient !== undefined).map(({ name }) => name)
  }

  /** Trains parameters again that {@link freeze} froze. @throws TrainerError ('argument') where there is no gradient. */
  override unfreeze(pattern: ParameterPatterns): void {
    const before = this.definition
    super.unfreeze(pattern)
    const { file } = this.#parts.training
    const without = this.#parts.signature.parameters.filter(({ gradient }) => gradient === undefined)
    const meant = without.filter(({ name }) => this.definition.parameters.some(p => p.name === name && p.trainable))
    if (meant.length === 0) return
    this.redefine(before)
    throw new TrainerError('argument', `${file} has no gradient of ${quoted(meant.map(({ name }) => name))}.`, {
      fix: 'Generate the artifacts with it among the trained parameters.',
    })
  }

  /**
   * Writes the parameters as a checkpoint of ONNX Runtime Training, with the optimizer's state if there is one: after
   * `train()` that of its last update. That is so after `loadBestModelAtEnd` too, which brings back parameters alone, as
   * in Hugging Face's Trainer: to go on from the best ones with fresh moments, leave the state out.
   * @throws TrainerError ('file') when it cannot be written; an older file stays as it was then, or where more than
   * 1.5 GB are in FILE.data beside it, is replaced as soon as the folder is read or written again.
   */
  async saveCheckpoint(file: string, options: SaveCheckpointOptions = {}): Promise<void> {
    const where = 'TrainingArtifacts.saveCheckpoint()'
    const { includeOptimizerState } = withDefaults(options, { includeOptimizerState: true }, where)
    checkFlag(includeOptimizerState, 'includeOptimizerState')
    const { trained, frozen, properties } = this.#checkpoint
    const now = (tensors: ReadonlyMap<string, Tensor>): Map<string, Tensor> =>
      new Map([...tensors].map(([name, tensor]) => [name, tensor.dtype === 'float32' ? this.parameter(name) : tensor]))
    const state: Checkpoint = { trained: now(trained), frozen: now(frozen), isNominal: false, properties }
    const optimizer = includeOptimizerState ? this.#memory.state : undefined
    await writeCheckpointFile(file, optimizer === undefined ? state : { ...state, optimizer })
  }

  /**
   * Writes the evaluation graph up to some of its values as an ONNX model, with the trained weights inside: what
   * `export_model_for_inferencing` does. Weights of more than 1.5 GB are in FILE.data beside it, which belongs to it.
   * @param outputs their names; by default what predictions without labels are.
   * @throws TrainerError ('argument') for a value that there is not, or that needs labels; ('file') when the file cannot
   * be written.
   */
  async exportForInference(file: string, outputs?: readonly string[], ...extra: readonly never[]): Promise<void> {
    refuseArguments(extra, 'exportForInference(), beside the file and the names of its outputs,')
    checkOutputs(outputs)
    const { training, evaluation } = this.#parts
    const signature = signatureOf(training, evaluation, this.#checkpoint, outputs)
    const labelled = signature.outputs.filter(name => !signature.outputsWithoutLabels.includes(name))
    if (outputs !== undefined && labelled.length > 0)
      throw new TrainerError(
        'argument',
        `${quoted(labelled)} of ${evaluation.file} needs labels, which inference has not.`,
      )
    const model = artifactsModel({ ...this.#parts, signature })
    const graph = inferenceGraph(model, name => this.parameter(name))
    await writeGraph(file, graph)
  }
}

function startingWeights(
  { parameters }: Signature,
  { trained, frozen, isNominal }: Checkpoint,
): Map<string, Tensor<'float32'>> {
  return new Map(
    parameters.map(({ name, shape }) => {
      const values = trained.get(name) ?? frozen.get(name)
      // a view of the whole file would be kept alive, and written over
      const data = isNominal ? new Float32Array(sizeOf(shape)) : Float32Array.from(values!.data as Float32Array)
      return [name, new Tensor('float32', data, shape)]
    }),
  )
}

type CheckedOptions = {
  readonly [Name in 'prefix' | 'nominal' | 'accumulation']: NonNullable<TrainingArtifactsOptions[Name]>
} & Pick<TrainingArtifactsOptions, 'checkpoint' | 'outputs'>

/** @throws TrainerError ('argument') for an unknown option, or a value of another kind. */
function checkedOptions(options: TrainingArtifactsOptions): CheckedOptions {
  const where = 'TrainingArtifacts.fromPretrained()'
  const defaults: CheckedOptions = {
    prefix: '',
    checkpoint: undefined,
    nominal: false,
    accumulation: 'mean',
    outputs: undefined,
  }
  const checked = withDefaults<CheckedOptions>(options, defaults, where)
  checkFlag(checked.nominal, 'nominal')
  if (checked.nominal && checked.checkpoint !== undefined)
    throw new TrainerError('argument', 'checkpoint and nominal were both given.', { fix: 'Give only one of them.' })
  if (!['mean', 'sum'].includes(checked.accumulation))
    throw new TrainerError('argument', `accumulation is ${shown(checked.accumulation)}; 'mean' or 'sum' was expected.`)
  checkText(checked.prefix, 'prefix')
  checkText(checked.checkpoint, 'checkpoint')
  checkOutputs(checked.outputs)
  return checked
}

/** @throws TrainerError ('argument') for what is no list of names. */
function checkOutputs(outputs: unknown): void {
  const isList = Array.isArray(outputs) && outputs.length > 0 && outputs.every(name => typeof name === 'string')
  if (outputs === undefined || isList) return
  throw new TrainerError(
    'argument',
    `outputs is ${Array.isArray(outputs) && outputs.length === 0 ? 'an empty list' : shown(outputs)}; a list of names was expected.`,
  )
}

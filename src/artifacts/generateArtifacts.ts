import { TrainableModel } from '../auto/TrainableModel'
import { nearest, quoted, TrainerError } from '../errors'
import type { LossFunction } from '../losses/LossFunction'
import type { LossSpelling } from '../losses/lossNames'
import type { ParameterPatterns } from '../models/freeze'
import { checkFlag, checkOptions, checkText, shown } from '../options'
import { type ArtifactLossOptions, checkedArtifactLoss, type LabelKind } from './artifactLoss'
import { type ArtifactOptimizer, optimizerNodes } from './artifactOptimizer'
import { chosenParameters } from './chosenParameters'
import type { ArtifactSource } from './ArtifactSource'
import { fileModel } from './fileModel'
import { type ArtifactDialect, artifactDialects, type ArtifactFiles, writeArtifacts } from './writeArtifacts'

/** What artifacts are made of: Python's arguments of `generate_artifacts`, but for those of its own formats. */
export interface GenerateArtifactsOptions {
  /**
   * The loss: a mean over the batch, whose labels come in as `labels` (int64; -100 does not count) for 'cross-entropy', and as `target`
   * (float32) for the others: 'mse', 'l1' and 'bce-with-logits', or in full, as in `AutoModel.fromOnnx()`. A function is a custom loss, as `computeLossFunc` of a Trainer. Default: the model's first output is the loss.
   */
  readonly loss?: LossSpelling | LossFunction | undefined
  /** The optimizer, by name (with Python's defaults) or with options. Default: none, and no file for it. */
  readonly optimizer?: ArtifactOptimizer | undefined
  /**
   * Which parameters are trained, by names, beginnings of names or regular expressions. Default: those that the model trains; Python's default is
   * none. Where it is given, parameters in neither list stay in the graphs as constants.
   */
  readonly requiresGrad?: ParameterPatterns | undefined
  /** Which parameters are kept in the checkpoint as they are. Default: those that the model does not train. */
  readonly frozenParams?: ParameterPatterns | undefined
  /** Outputs of the model that both graphs give after the loss. Default none. */
  readonly additionalOutputNames?: readonly string[] | undefined
  /** The output that the loss is computed from, and perhaps one that the labels are. Default: `logits`, or else the only one. */
  readonly lossInputNames?: readonly string[] | undefined
  /** What the labels of a custom loss are. Default 'classes'. */
  readonly labels?: LabelKind | undefined
  /** The folder that the files are written into. Default: the working directory. */
  readonly artifactDirectory?: string | undefined
  /** What stands before the files' names. Default ''. */
  readonly prefix?: string | undefined
  /** Whether a checkpoint without values is written too. Default false. */
  readonly nominalCheckpoint?: boolean | undefined
  /** In which operators the graphs are. Default 'portable'. */
  readonly dialect?: ArtifactDialect | undefined
}

const optionNames = Object.keys({
  loss: 1,
  optimizer: 1,
  requiresGrad: 1,
  frozenParams: 1,
  additionalOutputNames: 1,
  lossInputNames: 1,
  labels: 1,
  artifactDirectory: 1,
  prefix: 1,
  nominalCheckpoint: 1,
  dialect: 1,
} satisfies Record<keyof GenerateArtifactsOptions, 1>)

/**
 * Writes a model, its loss and its optimizer as the files that a runtime trains: `training_model.onnx`, `eval_model.onnx`,
 * `optimizer_model.onnx` and `checkpoint`, the counterpart of Python's `onnxruntime.training.artifacts.generate_artifacts`. They are in ordinary
 * operators, for any current ONNX Runtime, unless the dialect is another. docs/artifacts.md has their names and order, and programs that train them.
 *
 * The model is fed as its file for inference: a transformer with `input_ids`, `attention_mask` (and `token_type_ids`), int64 [batch, length].
 *
 * @param model a model of ts-trainer, or the path of an ONNX file.
 * @returns the paths of what was written.
 * @throws TrainerError ('argument') for options that cannot be, names that there are not, a parameter that is both trained and frozen, or nothing to
 * train; ('file') when the folder cannot be written; it is then as it was.
 *
 * @example
 * const model = await AutoModelForSequenceClassification.fromPretrained('./bert')
 * await generateArtifacts(model, { loss: 'cross-entropy', optimizer: 'adamw', artifactDirectory: './artifacts' })
 */
export async function generateArtifacts(
  model: TrainableModel<unknown> | string,
  options: GenerateArtifactsOptions = {},
): Promise<ArtifactFiles> {
  const { optimizer, additionalOutputNames = [], artifactDirectory = '.', prefix = '' } = options
  const loss = checkGenerateOptions(options)
  const nodes = optimizer === undefined ? undefined : optimizerNodes(optimizer)
  const { model: definition, weights } = await sourceOf(model, options)
  return writeArtifacts(
    {
      model: definition,
      parameters: chosenParameters(definition, options),
      weights,
      loss,
      additionalOutputNames,
    },
    {
      folder: artifactDirectory,
      prefix,
      optimizer: nodes,
      hasNominal: options.nominalCheckpoint === true,
      dialect: options.dialect ?? 'portable',
    },
  )
}

async function sourceOf(model: unknown, options: GenerateArtifactsOptions): Promise<ArtifactSource> {
  if (typeof model === 'string') return fileModel(model, options)
  if (model instanceof TrainableModel) return { model: model.definition, weights: name => model.parameter(name) }
  throw new TrainerError(
    'argument',
    `generateArtifacts() takes a model or the path of an ONNX file, not ${shown(model)}.`,
  )
}

/** @returns the loss. @throws TrainerError ('argument') for an option that cannot be. */
function checkGenerateOptions(options: GenerateArtifactsOptions): ArtifactLossOptions {
  checkOptions(options, optionNames, 'generateArtifacts()')
  const { dialect, prefix, artifactDirectory, nominalCheckpoint, loss: given, lossInputNames, labels } = options
  const loss = checkedArtifactLoss({ loss: given, lossInputNames, labels })
  checkFlag(nominalCheckpoint, 'nominalCheckpoint')
  for (const name of ['additionalOutputNames', 'lossInputNames'] as const) {
    const given: unknown = options[name]
    if (given === undefined || (Array.isArray(given) && given.every(item => typeof item === 'string'))) continue
    throw new TrainerError('argument', `${name} is ${shown(given)}; a list of names was expected.`)
  }
  checkText(prefix, 'prefix')
  checkText(artifactDirectory, 'artifactDirectory')
  if (/[/\\]/.test(prefix ?? ''))
    throw new TrainerError('argument', `prefix is "${prefix}": it is the beginning of names, and no folder.`, {
      fix: 'Name the folder in artifactDirectory.',
    })
  if (dialect === undefined || artifactDialects.includes(dialect)) return loss
  const near = nearest(String(dialect), artifactDialects)
  throw new TrainerError(
    'argument',
    `dialect is ${shown(dialect)}; artifacts are written in ${quoted(artifactDialects)}.`,
    {
      ...(near !== undefined && { fix: `Did you mean '${near}'?` }),
    },
  )
}

// a model → an ONNX file for inference, with what programs need beside it
import { exportModel } from '../checkpoint/exportModel'
import { nearest, TrainerError } from '../errors'
import { encodeInParts, externalBytes } from '../onnx/encode'
import { checkOptions, refuseArguments, shown } from '../options'
import { inferenceGraph } from '../programs/inference'
import { halfGraph } from './halfGraph'
import { PeftModel } from './PeftModel'
import { modelFiles, type Savable } from './saveModel'
import type { TrainableModel } from './TrainableModel'

/** What an ONNX file computes in, and what transformers.js calls its file. */
const files = { float32: 'model.onnx', float16: 'model_fp16.onnx' } as const

/** Options of {@link exportOnnx}. */
export interface ExportOnnxOptions {
  /**
   * 'float32' (`onnx/model.onnx`, transformers.js's `dtype: 'fp32'`), or 'float16' (`onnx/model_fp16.onnx`, `'fp16'`): half
   * the size, products in float16, inputs and outputs as before. Default 'float32'.
   */
  readonly dtype?: keyof typeof files
  /** Saved beside: transformers.js needs it. */
  readonly tokenizer?: Savable
}

/**
 * Writes a model for inference into a folder: `config.json`, the tokenizer if it is given, and a graph with the weights
 * inside. Other files of the folder stay, other graphs too. An adapter is merged into its base.
 * @returns the path of the ONNX file in the folder: `onnx/model.onnx`.
 * @throws TrainerError ('argument') for a dtype that there is not; ('model') for weights that float16 does not reach;
 * ('file') where it cannot be written.
 *
 * @example
 * await exportOnnx(model, './out', { dtype: 'float16', tokenizer }) // 'onnx/model_fp16.onnx'
 */
export async function exportOnnx(
  model: TrainableModel<unknown>,
  folder: string,
  options: ExportOnnxOptions = {},
  ...extra: readonly never[]
): Promise<string> {
  refuseArguments(extra, 'exportOnnx(), beside a model, a folder and its options,')
  checkOptions(options, ['dtype', 'tokenizer'], 'exportOnnx()')
  const { dtype = 'float32', tokenizer } = options
  if (!Object.hasOwn(files, dtype)) throw noType(dtype)
  if (dtype === 'float16') refuseCrashing(model)
  const merged = model instanceof PeftModel ? (model as PeftModel<unknown>).mergeAndUnload() : model
  const file = files[dtype]
  const graph = inferenceGraph(merged.definition, name => merged.parameter(name))
  const externalDataName = `${file}_data`
  const encoded = encodeInParts(dtype === 'float16' ? halfGraph(graph) : graph, { externalDataName })
  const externalData = encoded.externalData && externalBytes(encoded.externalData)
  const { weights: _, ...others } = modelFiles({ model: merged, tokenizer })
  await exportModel(folder, { ...others, onnx: { file, model: encoded.model, externalData } })
  return `onnx/${file}`
}

/** Graphs that ONNX Runtime 1.30 and 1.32 crash at when they optimize them (docs/log.md). */
function refuseCrashing(model: TrainableModel<unknown>): void {
  const { config } = model as { config?: { model_type?: string } }
  if (config?.model_type !== 'deberta-v2') return
  throw new TrainerError(
    'model',
    'deberta-v2 is not exported in float16: ONNX Runtime crashes when it loads such a file.',
    {
      fix: 'Export it as float32.',
    },
  )
}

function noType(dtype: unknown): TrainerError {
  const near = typeof dtype === 'string' ? nearest(dtype, Object.keys(files)) : undefined
  if (near !== undefined && dtype !== 'int8')
    return new TrainerError('argument', `There is no dtype ${shown(dtype)}.`, { fix: `Did you mean '${near}'?` })
  if (dtype !== 'int8')
    return new TrainerError(
      'argument',
      `There is no dtype ${shown(dtype)}; there are ${Object.keys(files).join(', ')}.`,
    )
  return new TrainerError('argument', `dtype ${shown(dtype)} is not there: no library for Node quantizes ONNX files.`, {
    fix: "Export float32, and quantize that in Python: quantize_dynamic('onnx/model.onnx', 'onnx/model_quantized.onnx') of onnxruntime.quantization, which needs the packages onnx and onnxruntime. transformers.js opens it with dtype: 'q8'.",
  })
}

import { join } from 'node:path'

import { makeFolder } from '../files/paths'
import { writeFileWhole } from '../files/writeFile'
import { type ByteSource } from '../files/bytes'
import { writeFolder, type WriteFolderOptions } from '../files/folder'
import { writeJson } from '../files/json'
import { adapterConfigName, adapterFiles, saveWeights } from '../files/weights'
import { type NamedTensors, writeSafetensors } from '../files/writeSafetensors'
import { isJsonObject, type JsonObject } from '../json'

/** The parts of a saved model. */
export interface ModelFiles {
  /** `config.json`, in Hugging Face's spelling; a graph that was made elsewhere has none. */
  readonly config?: JsonObject | undefined
  /** Its fields that hold fractions, of which Python takes no whole numbers; none unless given. */
  readonly floats?: readonly string[] | undefined
  /** `adapter_config.json`, of an adapter in place of a model. */
  readonly adapter?: JsonObject | undefined
  /** None where the graph alone is wanted. */
  readonly weights?: NamedTensors | undefined
  /**
   * The inference graph for `onnx/model.onnx`; its weights, if they are external, for `onnx/model.onnx_data`, which is
   * their name in the graph.
   */
  readonly onnx?:
    | {
        /** Another name of the file than `model.onnx`; external weights have it with `_data` behind. */
        readonly file?: string
        readonly model: ByteSource
        readonly externalData?: ByteSource | undefined
      }
    | undefined
  /** Writes the tokenizer's files into a folder. */
  readonly writeTokenizer?: ((folder: string) => Promise<void>) | undefined
  /** `training_args.json`, in Hugging Face's spelling. */
  readonly trainingArguments?: JsonObject | undefined
  /** As for `saveWeights`. */
  readonly maxShardSize?: number | string | undefined
}

/**
 * Saves a model as a Hugging Face folder: `config.json`, `model.safetensors`, the tokenizer's files,
 * `training_args.json` and `onnx/model.onnx`. Python's `from_pretrained` opens it, and so does `pipeline` of
 * transformers.js.
 *
 * The folder is written beside its place, then renamed; other files of an existing folder, such as checkpoints, stay.
 * @throws TrainerError (`file`) when it cannot be written; an existing folder stays as it was.
 */
export async function exportModel(
  target: string,
  files: ModelFiles,
  options: WriteFolderOptions = { others: 'keep' },
): Promise<void> {
  await writeFolder(target, temporary => writeModelFiles(temporary, files), options)
}

/** Writes the parts of a saved model into an existing folder. A checkpoint calls it inside its own `writeFolder`. */
export async function writeModelFiles(folder: string, files: ModelFiles): Promise<void> {
  const { config, floats = [], adapter, weights, onnx, writeTokenizer, trainingArguments, maxShardSize } = files
  if (config !== undefined) {
    const complete = onnx?.externalData === undefined ? config : withExternalData(config)
    await writeJson(join(folder, 'config.json'), complete, { sorted: true, floats })
  }
  if (weights !== undefined && adapter === undefined) await saveWeights(folder, weights, { maxShardSize })
  if (weights !== undefined && adapter !== undefined) await writeAdapter(folder, adapter, weights)
  await writeTokenizer?.(folder)
  if (trainingArguments !== undefined) await writeJson(join(folder, 'training_args.json'), trainingArguments)
  if (onnx !== undefined) {
    const { file = 'model.onnx', model, externalData } = onnx
    await makeFolder(join(folder, 'onnx'))
    if (externalData !== undefined) await writeFileWhole(join(folder, 'onnx', `${file}_data`), externalData)
    await writeFileWhole(join(folder, 'onnx', file), model)
  }
}

async function writeAdapter(folder: string, config: JsonObject, weights: NamedTensors): Promise<void> {
  await writeSafetensors(join(folder, adapterFiles[0]!), weights)
  await writeJson(join(folder, adapterConfigName), config, { sorted: true, floats: ['lora_dropout'] })
}

/** transformers.js fetches external weights only if the config says that they exist. */
function withExternalData(config: JsonObject): JsonObject {
  const given = config['transformers.js_config']
  return {
    ...config,
    'transformers.js_config': { ...(isJsonObject(given) ? given : {}), use_external_data_format: true },
  }
}

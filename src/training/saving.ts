import type { PreTrainedModel } from '../auto/PreTrainedModel'
import { exportModel, type ModelFiles, writeModelFiles } from '../checkpoint/exportModel'
import { writeFolder } from '../checkpoint/folder'
import type { JsonObject } from '../checkpoint/json'
import { type CheckpointState, saveCheckpointState } from '../checkpoint/state'
import { inferenceGraph } from '../models/classifier'
import { encodeInParts, type ExternalData } from '../onnx/encode'

/** Something that writes its files into a folder: a tokenizer. */
export interface Savable {
  save(folder: string): Promise<void>
}

/** What a saved model consists of. */
export interface SavedParts {
  readonly model: PreTrainedModel
  readonly tokenizer: Savable | undefined
  readonly trainingArguments: JsonObject | undefined
}

/** Saves a model for use: weights and config for Python, and an ONNX file for transformers.js. */
export async function saveModelFolder(target: string, parts: SavedParts): Promise<void> {
  const { model, externalData } = encodeInParts(inferenceGraph(parts.model.config, (name) => parts.model.parameter(name)))
  const onnx = externalData === undefined ? { model } : { model, externalData: externalBytes(externalData) }
  await exportModel(target, { ...modelFiles(parts), onnx })
}

/** Saves a checkpoint: a model without its ONNX file, and the state of the run. */
export async function saveCheckpointFolder(target: string, parts: SavedParts, state: CheckpointState): Promise<void> {
  await writeFolder(target, async (folder) => {
    await writeModelFiles(folder, modelFiles(parts))
    await saveCheckpointState(folder, state)
  })
}

function modelFiles({ model, tokenizer, trainingArguments }: SavedParts): ModelFiles {
  return {
    config: model.config as JsonObject,
    weights: model.parameters,
    writeTokenizer: tokenizer === undefined ? undefined : (folder) => tokenizer.save(folder),
    trainingArguments,
  }
}

/** A file of weights as it is written: the tensors, and zeros between them. */
function* externalBytes({ length, tensors }: ExternalData): Generator<Uint8Array> {
  let at = 0
  for (const { offset, data } of tensors) {
    if (offset > at) yield new Uint8Array(offset - at)
    yield data
    at = offset + data.length
  }
  if (length > at) yield new Uint8Array(length - at)
}

import { exportModel, type ModelFiles } from '../checkpoint/exportModel'
import type { JsonObject } from '../json'
import { floatFields } from '../models/checkConfig'
import type { ModelConfig } from '../models/config'
import type { Model } from '../models/Model'
import { architectureOf } from '../models/registry'
import { encodeInParts, externalBytes } from '../onnx/encode'
import { inferenceGraph } from '../programs/inference'
import type { Tensor } from '../tensor'

/** What of a model is saved. */
export interface SavedModel {
  readonly definition: Model
  /** Hugging Face's; a graph that was made elsewhere has none. */
  readonly config?: object | undefined
  readonly saved: SavedWeights
  parameter(name: string): Tensor<'float32'>
}

/** What a folder has of a model. */
export interface SavedWeights {
  /** By their names in the file. */
  readonly weights: ReadonlyMap<string, Tensor<'float32'>>
  /** Of an adapter, its `adapter_config.json`: the folder has no model then, but what is added to one. */
  readonly adapter?: JsonObject
}

/** Something that writes its files into a folder: a tokenizer. */
export interface Savable {
  save(folder: string): Promise<void>
}

/** What a saved model consists of. */
export interface SavedParts {
  readonly model: SavedModel
  readonly tokenizer?: Savable | undefined
  readonly trainingArguments?: JsonObject | undefined
}

/**
 * Saves a model for use: weights and config for Python, and an ONNX file for transformers.js; of an adapter its weights
 * and config for PEFT.
 */
export async function saveModelFolder(target: string, parts: SavedParts): Promise<void> {
  if (parts.model.saved.adapter !== undefined) return exportModel(target, modelFiles(parts))
  const graph = inferenceGraph(parts.model.definition, name => parts.model.parameter(name))
  const { model, externalData } = encodeInParts(graph)
  const onnx = externalData === undefined ? { model } : { model, externalData: externalBytes(externalData) }
  await exportModel(target, { ...modelFiles(parts), onnx })
}

/** The files of a model but its ONNX file. */
export function modelFiles({ model, tokenizer, trainingArguments }: SavedParts): ModelFiles {
  const { weights, adapter } = model.saved
  const config = model.config as JsonObject | undefined
  const ownConfig = config && { config, floats: floatFields(architectureOf(config as ModelConfig).config) }
  return {
    ...(adapter === undefined ? ownConfig : { adapter }),
    weights,
    writeTokenizer: tokenizer === undefined ? undefined : folder => tokenizer.save(folder),
    trainingArguments,
  }
}

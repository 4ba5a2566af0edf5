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
  readonly parameters: ReadonlyMap<string, Tensor<'float32'>>
  parameter(name: string): Tensor<'float32'>
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

/** Saves a model for use: weights and config for Python, and an ONNX file for transformers.js. */
export async function saveModelFolder(target: string, parts: SavedParts): Promise<void> {
  const graph = inferenceGraph(parts.model.definition, name => parts.model.parameter(name))
  const { model, externalData } = encodeInParts(graph)
  const onnx = externalData === undefined ? { model } : { model, externalData: externalBytes(externalData) }
  await exportModel(target, { ...modelFiles(parts), onnx })
}

/** The files of a model but its ONNX file. */
export function modelFiles({ model, tokenizer, trainingArguments }: SavedParts): ModelFiles {
  return {
    config: model.config as JsonObject | undefined,
    floats: model.config === undefined ? [] : floatFields(architectureOf(model.config as ModelConfig).config),
    weights: model.parameters,
    writeTokenizer: tokenizer === undefined ? undefined : folder => tokenizer.save(folder),
    trainingArguments,
  }
}

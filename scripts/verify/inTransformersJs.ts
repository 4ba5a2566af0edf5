// saved models, opened by transformers.js and by ONNX Runtime itself
import { join } from 'node:path'
import * as transformers from '@huggingface/transformers'
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node'
import type { Task } from '../../src/heads/Head'
import { Tensor } from '../../src/tensor'
import type { Outputs, SavedFolder } from './savedFolders'

transformers.env.allowRemoteModels = false

/** The class of a task; transformers.js has none for multiple choice. */
const classes: Readonly<Partial<Record<Task, { from_pretrained(folder: string, options: object): Promise<unknown> }>>> =
  {
    'sequence-classification': transformers.AutoModelForSequenceClassification,
    'token-classification': transformers.AutoModelForTokenClassification,
    'question-answering': transformers.AutoModelForQuestionAnswering,
    'masked-lm': transformers.AutoModelForMaskedLM,
  }

type Loaded = ((inputs: object) => Promise<Record<string, { dims: number[]; data: Float32Array }>>) & {
  dispose(): Promise<unknown>
}

/** What transformers.js predicts; undefined where it has no class for the model. */
export async function inTransformersJs({ folder, task, inputs }: SavedFolder): Promise<Outputs | undefined> {
  let model: Loaded
  try {
    if (classes[task] === undefined) return undefined
    model = (await classes[task].from_pretrained(folder, { dtype: 'fp32' })) as Loaded
  } catch (error) {
    if (/Unsupported model type/.test((error as Error).message)) return undefined
    throw error
  }
  const given = Object.fromEntries(
    Object.entries(inputs).map(([name, { data, dims }]) => [
      name,
      new transformers.Tensor('int64', BigInt64Array.from(data, BigInt), [...dims]),
    ]),
  )
  const found = await model(given)
  await model.dispose()
  return Object.fromEntries(
    Object.entries(found).map(([name, { dims, data }]) => [name, new Tensor('float32', data, dims)]),
  )
}

/** What a saved `onnx/model.onnx` computes. */
export async function outputsOfFile({ folder, inputs }: SavedFolder): Promise<Outputs> {
  const session = await InferenceSession.create(join(folder, 'onnx/model.onnx'))
  const given: Record<string, OrtTensor> = {}
  for (const name of session.inputNames) {
    const { data, dims } = inputs[name] ?? Tensor.zeros('int32', inputs.input_ids!.dims)
    given[name] = new OrtTensor('int64', BigInt64Array.from(data as Int32Array, BigInt), [...dims])
  }
  const found = await session.run(given)
  await session.release()
  return Object.fromEntries(
    Object.entries(found).map(([name, { dims, data }]) => [name, new Tensor('float32', data as Float32Array, dims)]),
  )
}

// small models, and artifacts that are made of them
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encode, generateArtifacts, type GenerateArtifactsOptions, GraphBuilder, Tensor } from 'ts-trainer'
import type { RawModel } from '../../src/onnx/RawModel'
import { readModel } from '../../src/onnx/readModel'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { tinyModel } from '../helpers/tinyModel'

export const read = (path: string): RawModel => readModel(readFileSync(path))
export const namesOf = (values: readonly { readonly name: string }[]): string[] => values.map(({ name }) => name)

/** x [rows, 2] → logits [rows, 3], and a value that no loss depends on. */
export function mlpFile(): string {
  const graph = new GraphBuilder('mlp')
  const x = graph.input('x', 'float32', ['rows', 2])
  const weight = graph.initializer('weight', new Tensor('float32', Float32Array.of(1, -2, 0.5, 0.25, 1.5, -1), [2, 3]))
  const bias = graph.initializer('bias', new Tensor('float32', Float32Array.of(0.1, 0.2, -0.3), [3]))
  const apart = graph.initializer('apart', new Tensor('float32', Float32Array.of(1, 2), [2]))
  const logits = graph.add(graph.matMul(x, weight), bias)
  const total = graph.sum(graph.mul(logits, logits))
  const file = join(temporaryFolder(), 'mlp.onnx')
  writeFileSync(file, encode(graph.build({ logits, total, scaled: graph.mul(x, apart) })).model)
  return file
}

export async function generated(
  options: GenerateArtifactsOptions = {},
  model: Parameters<typeof generateArtifacts>[0] = tinyModel(),
): ReturnType<typeof generateArtifacts> {
  const artifactDirectory = temporaryFolder()
  return generateArtifacts(model, { loss: 'cross-entropy', optimizer: 'adamw', artifactDirectory, ...options })
}

// the program of docs/graphs.md is run, on a graph of PyTorch's
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { AutoModel, setLogLevel } from 'ts-trainer'
import { expect, it } from 'vitest'
import { printedBy, programFolder } from '../helpers/snippets'
import { graphs, written } from './programs'

setLogLevel('error')

const folder = programFolder('graphs')
const [program] = written(graphs, folder)

it('docs/graphs.md has a program that runs, and what it saves is opened again', async () => {
  copyFileSync(join(import.meta.dirname, '../fixtures/onnx/forward.onnx'), join(folder, 'forward.onnx'))
  const [first] = await printedBy(program!.file, folder)
  const { inputNames } = await AutoModel.fromOnnx(join(folder, 'out/graph/last/onnx/model.onnx'))
  expect(first).toEqual([inputNames, expect.any(Number)])
  expect(inputNames).toEqual(['x'])
})

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { expect, it } from 'vitest'

import { exportModel } from '../../src/checkpoint/exportModel'
import { loadWeights } from '../../src/files/weights'
import { Tensor } from '../../src/tensor'
import { temporaryFolder } from '../helpers/temporaryFolder'

const root = temporaryFolder()
const weights: [string, Tensor][] = [['classifier.bias', Tensor.from('float32', [1, 2])]]
const config = { model_type: 'bert', architectures: ['BertForSequenceClassification'], id2label: { 0: 'no', 1: 'yes' } }

it('writes a Hugging Face folder, and keeps the checkpoints in it', async () => {
  const target = join(root, 'model')
  await mkdir(join(target, 'checkpoint-1'), { recursive: true })
  await exportModel(target, {
    config,
    weights,
    onnx: { model: Uint8Array.of(1, 2, 3) },
    writeTokenizer: folder => writeFile(join(folder, 'tokenizer.json'), '{}'),
    trainingArguments: { learning_rate: 5e-5 },
  })
  expect(readdirSync(target).sort()).toEqual([
    'checkpoint-1',
    'config.json',
    'model.safetensors',
    'onnx',
    'tokenizer.json',
    'training_args.json',
  ])
  expect(JSON.parse(readFileSync(join(target, 'config.json'), 'utf8'))).toEqual(config)
  expect([...readFileSync(join(target, 'onnx', 'model.onnx'))]).toEqual([1, 2, 3])
  const source = await loadWeights(target)
  expect(await source.read('classifier.bias')).toEqual(weights[0]![1])
  await source.close()
})

it('puts weights outside the graph where transformers.js looks for them', async () => {
  const target = join(root, 'large')
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    yield Uint8Array.of(1)
    yield new Uint8Array(5_000_000).fill(2)
  }
  await exportModel(target, {
    config: { ...config, 'transformers.js_config': { dtype: 'fp32' } },
    weights,
    onnx: { model: Uint8Array.of(9), externalData: pieces() },
  })
  expect(readdirSync(join(target, 'onnx')).sort()).toEqual(['model.onnx', 'model.onnx_data'])
  const data = readFileSync(join(target, 'onnx', 'model.onnx_data'))
  expect([data.length, data[0], data[5_000_000]]).toEqual([5_000_001, 1, 2])
  expect(JSON.parse(readFileSync(join(target, 'config.json'), 'utf8'))).toMatchObject({
    'transformers.js_config': { dtype: 'fp32', use_external_data_format: true },
  })
})

it('leaves no folder when a part fails', async () => {
  const target = join(root, 'failed')
  await expect(
    exportModel(target, { config, weights, writeTokenizer: () => Promise.reject(new Error('no tokenizer')) }),
  ).rejects.toThrow('no tokenizer')
  expect(existsSync(target)).toBe(false)
  expect(readdirSync(root).filter(name => name.startsWith('.'))).toEqual([])
})

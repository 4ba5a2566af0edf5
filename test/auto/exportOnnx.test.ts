import { existsSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import { AutoTokenizer, exportOnnx, getPeftModel, pipeline, setLogLevel, Tensor } from 'ts-trainer'
import { largestDifference, predictAndSave, randomInputs, randomModel } from '../../scripts/verify/savedFolders'
import { float16ToFloat32, float32ToFloat16, roundToFloat16 } from '../../src/files/halfFloats'
import { savedFolder } from '../helpers/savedFolder'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { tinyModel } from '../helpers/tinyModel'

setLogLevel('error')

describe('float32ToFloat16', () => {
  it('gives every float16 number its bits, and rounds others to the nearest, halves to the even one', () => {
    const bits = Uint16Array.from({ length: 65_536 }, (_, at) => at)
    const numbers = new Float32Array(bits.length)
    float16ToFloat32(bits, numbers)
    const back = new Uint16Array(bits.length)
    float32ToFloat16(numbers, back)
    for (const [at, number] of numbers.entries())
      if (!Number.isNaN(number)) expect(back[at], `${number}`).toBe(at)
      else expect(back[at]! & 0x7c00).toBe(0x7c00)
    const between = [0, 1, 2, 3, 1000, 1023, 1024, 2047, 20_000, 31_742].flatMap(at => {
      const [low, high] = [numbers[at]!, numbers[at + 1]!]
      return [0.25, 0.5, 0.75].map(part => Math.fround(low + (high - low) * part))
    })
    const all = Float32Array.from([...between, ...between.map(x => -x), 65_519, 65_520, 1e-9, 1e-45])
    const found = new Uint16Array(all.length)
    float32ToFloat16(all, found)
    const rounded = new Float32Array(all.length)
    float16ToFloat32(found, rounded)
    expect([...rounded].map(x => x + 0)).toEqual([...all].map(x => roundToFloat16(x) + 0))
  })
})

describe('exportOnnx', () => {
  it.each(['bert', 'roberta', 'distilbert', 'mpnet', 'modernbert'])(
    "writes %s's graph in float16, half as large, which ONNX Runtime computes the same with",
    async family => {
      const folder = join(temporaryFolder(), 'saved')
      mkdirSync(folder)
      const task = 'sequence-classification'
      const inputs = randomInputs(task, 5)
      const model = randomModel(family, task, 5)
      const outputs = await predictAndSave(model, inputs, folder)
      expect(await exportOnnx(model, folder, { dtype: 'float16' })).toBe('onnx/model_fp16.onnx')
      const session = await InferenceSession.create(join(folder, 'onnx/model_fp16.onnx'), { logSeverityLevel: 3 })
      const given = Object.fromEntries(
        session.inputNames.map(name => {
          const { data, dims } = inputs[name] ?? Tensor.zeros('int32', inputs['input_ids']!.dims)
          return [name, new OrtTensor('int64', BigInt64Array.from(data as Int32Array, BigInt), [...dims])]
        }),
      )
      const { logits } = await session.run(given)
      await session.release()
      const found = { logits: new Tensor('float32', logits!.data as Float32Array, logits!.dims) }
      const difference = largestDifference({ name: family, folder, task, inputs, outputs }, found)
      expect(difference).toBeLessThan(1e-2)
      expect(difference).toBeGreaterThan(0) // it is another file
    },
  )

  it('is opened by transformers.js, in both types', async () => {
    const transformers = await import('@huggingface/transformers')
    transformers.env.allowRemoteModels = false
    const folder = await savedFolder()
    const own = await pipeline('text-classification', folder)
    const tokenizer = await AutoTokenizer.fromPretrained(folder)
    const model = tinyModel({ vocab_size: tokenizer.length }, { id2label: ['bad', 'good', 'meh'] })
    const target = join(temporaryFolder(), 'exported')
    for (const dtype of ['float32', 'float16'] as const) await exportOnnx(model, target, { dtype, tokenizer })
    expect(existsSync(join(target, 'model.safetensors'))).toBe(false)
    const expected = (await own('a stone', { topK: null })).toSorted((a, b) => (a.label < b.label ? -1 : 1))
    for (const dtype of ['fp32', 'fp16'] as const) {
      const classify = await transformers.pipeline('text-classification', target, { dtype })
      const found = (await classify('a stone', { top_k: 3 })) as { label: string; score: number }[]
      await classify.dispose()
      for (const [at, { label, score }] of found.toSorted((a, b) => (a.label < b.label ? -1 : 1)).entries()) {
        expect(label).toBe(expected[at]!.label)
        expect(Math.abs(score - expected[at]!.score)).toBeLessThan(dtype === 'fp32' ? 1e-5 : 1e-2)
      }
    }
    await own.dispose()
  })

  it('merges an adapter, and halves the file', async () => {
    const target = temporaryFolder()
    const adapted = getPeftModel(tinyModel({ vocab_size: 5000 }))
    for (const dtype of ['float32', 'float16'] as const) await exportOnnx(adapted, target, { dtype })
    const [whole, half] = ['model.onnx', 'model_fp16.onnx'].map(name => statSync(join(target, 'onnx', name)).size)
    expect(half! / whole!).toBeLessThan(0.65)
  })

  it('refuses what it cannot write, and says what to do', async () => {
    const folder = temporaryFolder()
    const tryDtype = (dtype: string): Promise<string> => exportOnnx(tinyModel(), folder, { dtype: dtype as 'float16' })
    await expect(tryDtype('int8')).rejects.toThrow('no library for Node quantizes ONNX files')
    await expect(tryDtype('flaot16')).rejects.toThrow("Did you mean 'float16'?")
    await expect(tryDtype('double')).rejects.toThrow('there are float32, float16')
    const deberta = randomModel('deberta-v2', 'sequence-classification', 1)
    await expect(exportOnnx(deberta, folder, { dtype: 'float16' })).rejects.toThrow('Export it as float32.')
    const far = tinyModel()
    far.parameter('bert.embeddings.word_embeddings.weight').data[7] = 70_000
    await expect(exportOnnx(far, folder, { dtype: 'float16' })).rejects.toThrow(
      'The weight bert.embeddings.word_embeddings.weight has 70000, which float16 does not reach (65504).',
    )
    expect(existsSync(join(folder, 'onnx'))).toBe(false)
  })
})

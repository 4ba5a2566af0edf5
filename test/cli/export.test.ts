import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { AutoModel, AutoModelForMultipleChoice, setLogLevel } from '../../src/index'
import { runCli } from '../helpers/runCli'
import { savedFolder } from '../helpers/savedFolder'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { tinyConfig } from '../helpers/tinyModel'

setLogLevel('error')

let model: string

beforeAll(async () => {
  model = await savedFolder()
})

describe('export', () => {
  it("writes a file for each type, with the tokenizer, and into the model's folder too", async () => {
    const output = join(temporaryFolder(), 'exported')
    const files = { float32: 'model.onnx', float16: 'model_fp16.onnx' }
    for (const [dtype, file] of Object.entries(files)) {
      const { status, out } = await runCli(['export', model, '--output', output, '--dtype', dtype])
      expect({ status, out }).toEqual({ status: 0, out: join(output, 'onnx', file) })
    }
    for (const name of ['config.json', 'tokenizer_config.json', 'onnx/model.onnx', 'onnx/model_fp16.onnx'])
      expect(existsSync(join(output, name)), name).toBe(true)
    expect((await runCli(['export', model, '--output', model, '--dtype', 'float16'])).status).toBe(0)
    for (const name of ['model.safetensors', 'onnx/model.onnx', 'onnx/model_fp16.onnx'])
      expect(existsSync(join(model, name)), name).toBe(true)
  })

  it('knows what each folder was trained for, and writes no head that was not', async () => {
    const fields = { ...tinyConfig, vocab_size: 100 }
    const choices = await savedFolder(AutoModelForMultipleChoice.fromConfig(fields))
    const output = join(temporaryFolder(), 'exported')
    expect((await runCli(['export', choices, '--output', output])).status).toBe(0)
    const encoder = await savedFolder(AutoModel.fromConfig(fields))
    for (const [folder, task, message] of [
      [encoder, 'text-classification', 'was not trained for text-classification: it lacks classifier.weight'],
      [choices, 'fill-mask', 'was trained for multiple-choice, not for fill-mask.'],
    ] as const) {
      const { status, error } = await runCli(['export', folder, '--output', output, '--task', task])
      expect([status, error]).toEqual([1, expect.stringContaining(message)])
    }
    expect((await runCli(['export', choices, '--output', output, '--task', 'feature-extraction'])).status).toBe(0)
  })

  it('says what is wrong, and how int8 is had', async () => {
    const output = temporaryFolder()
    const cases: [string[], number, string][] = [
      [[], 2, 'export needs --output'],
      [['--output', output], 2, 'export needs a model'],
      [[model, '--output', output, '--dtype', 'int8'], 2, 'no library for Node quantizes ONNX files'],
      [[model, '--output', output, '--dtype', 'flaot16'], 2, "Did you mean 'float16'?"],
      [[model, '--outptu', output], 2, 'Did you mean --output?'],
      [['./nowhere', '--output', output], 1, 'There is no folder "./nowhere"'],
    ]
    for (const [words, expected, message] of cases) {
      const { status, error } = await runCli(['export', ...words])
      expect({ words, status }).toEqual({ words, status: expected })
      expect(error).toContain(message)
    }
  })
})

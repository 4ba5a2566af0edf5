import { AutoModelForTokenClassification, setLogLevel } from 'ts-trainer'
import { describe, expect, it } from 'vitest'
import { readCheckpointFile } from '../../src/artifacts/checkpointFile'
import { runCommand } from '../../src/cli/commands'
import { mlpFile } from './generated'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { tinyConfig, tinyModel } from '../helpers/tinyModel'

setLogLevel('error')

describe('ts-trainer artifacts', () => {
  const run = async (...words: string[]): Promise<{ status: number; out: string[]; error: string }> => {
    const out: string[] = []
    let error = ''
    const status = await runCommand(['artifacts', ...words], {
      out: text => out.push(text),
      error: text => (error += text),
    })
    return { status, out, error }
  }

  it('prints what it wrote', async () => {
    const [model, output] = [temporaryFolder(), temporaryFolder()]
    await tinyModel().savePretrained(model)
    const flags = ['--model', model, '--loss=cross-entropy', '--optimizer', 'adamw', '--output', output]
    const { status, out, error } = await run(...flags, '--trainable', 'classifier', '--dialect', 'onnxruntime-training')
    expect([status, error]).toEqual([0, ''])
    expect(out).toEqual(
      ['training_model.onnx', 'eval_model.onnx', 'optimizer_model.onnx', 'checkpoint'].map(name => `${output}/${name}`),
    )
    expect([...(await readCheckpointFile(out[3]!)).trained.keys()].toSorted()).toEqual([
      'classifier.bias',
      'classifier.weight',
    ])
  })

  it("takes the head that the folder's config.json names", async () => {
    const [model, output] = [temporaryFolder(), temporaryFolder()]
    await AutoModelForTokenClassification.fromConfig(tinyConfig, { numLabels: 3 }).savePretrained(model)
    const { status, out } = await run('--model', model, '--loss=cross-entropy', '--output', output)
    expect(status).toBe(0)
    const names = [...(await readCheckpointFile(out.at(-1)!)).trained.keys()]
    expect(names).toContain('classifier.weight')
    expect(names.filter(name => name.includes('pooler'))).toEqual([]) // which a classifier of texts has
  })

  it('takes an ONNX file', async () => {
    const output = temporaryFolder()
    const { status, out } = await run(
      '--model',
      mlpFile(),
      '--loss',
      'l1',
      '--output',
      output,
      '--prefix',
      'p_',
      '--nominal',
    )
    expect(status).toBe(0)
    expect(out).toContain(`${output}/p_nominal_checkpoint`)
  })

  it.each([
    [['--modle', 'x'], 'Did you mean --model?'],
    [['--model'], '--model needs a value (DIR_OR_ONNX).'],
    [['--model', 'x', '--model', 'y'], '--model was given twice.'],
    [['x'], "artifacts does not take 'x'."],
    [['--nominal=x'], "--nominal takes no value, but was given 'x'."],
    [['--model', 'x'], 'artifacts needs --output: '],
    [['--model', 'x', '--output', 'y', '--task', 'tokens'], "multiple-choice, but is 'tokens'."],
    [['--model', 'x.onnx', '--output', 'y', '--task', 'fill-mask'], 'an ONNX file has its outputs'],
  ])('refuses %j', async (words, message) => {
    const { status, error } = await run(...words)
    expect(status).toBe(2)
    expect(error).toContain(message)
  })

  it('has a help text', async () => {
    const text = (await run('--help')).out[0]!
    expect(text).toContain('--dialect')
    expect(Math.max(...text.split('\n').map(line => line.length))).toBeLessThanOrEqual(80)
  })
})

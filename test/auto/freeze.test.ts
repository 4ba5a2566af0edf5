import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { AutoModelForSequenceClassification } from '../../src/index'
import { namesMeant } from '../../src/models/freeze'
import { trainingProgram } from '../../src/programs/training'
import { tinyModel, run } from '../trainer/support'

/** The names of a safetensors file. */
function namesIn(file: string): string[] {
  const bytes = readFileSync(file)
  const header = bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE(0))).toString()
  return Object.keys(JSON.parse(header) as object).filter(name => name !== '__metadata__')
}

const frozen = /^bert\.(embeddings|encoder)/

describe('frozen parameters', () => {
  it('have no gradient and no slots, and stay as they are to the bit; the others train', async () => {
    const before = tinyModel()
    const frozenModel = tinyModel()
    frozenModel.freeze('bert.embeddings')
    frozenModel.freeze(/^bert\.encoder\./)
    const { outputDir, trainer } = await run(
      { maxSteps: 3, saveStrategy: 'steps', saveSteps: 3, weightDecay: 0.1 },
      { model: frozenModel },
    )
    for (const [name, { data }] of frozenModel.parameters) {
      if (frozen.test(name)) expect(data, name).toEqual(before.parameter(name).data)
      else expect(data, name).not.toEqual(before.parameter(name).data)
    }
    const layout = frozenModel.definition.layout({ rows: 4, fewShapes: false })
    const program = trainingProgram(frozenModel.definition, layout, layout.usualVariant, {})
    const trained = [...before.parameters.keys()].filter(name => !frozen.test(name))
    expect([...program.gradients.keys()]).toEqual(trained)
    expect(program.graph.outputs.map(({ name }) => name)).toHaveLength(2 + trained.length)
    const slots = namesIn(join(outputDir, 'checkpoint-3', 'optimizer.safetensors'))
    expect(slots.toSorted()).toEqual(trained.flatMap(name => [`${name}.exp_avg`, `${name}.exp_avg_sq`]).toSorted())
    // what is saved is the whole model
    expect(namesIn(join(outputDir, 'checkpoint-3', 'model.safetensors')).toSorted()).toEqual(
      [...before.parameters.keys()].toSorted(),
    )
    expect(trainer.getNumTrainableParameters()).toBe(
      trained.reduce((sum, name) => sum + before.parameter(name).size, 0),
    )
    expect(
      trainer
        .getOptimizerGroup()
        .flatMap(({ parameters }) => parameters)
        .toSorted(),
    ).toEqual(trained.toSorted())
    expect(() => trainer.getOptimizerGroup('bert.embeddings.word_embeddings.weight')).toThrow(
      '"bert.embeddings.word_embeddings.weight" is frozen, and so in no group of the optimizer.',
    )
  })

  it('are the same by one pattern or another', async () => {
    const head = tinyModel()
    head.freeze('bert')
    const { losses } = await run({ maxSteps: 4 }, { model: head })
    const still = tinyModel()
    still.freeze(/./)
    still.unfreeze('classifier')
    expect((await run({ maxSteps: 4 }, { model: still })).losses[0]).toBe(losses[0])
    expect(losses.at(-1)).not.toBe(losses[0])
  })

  it('may be unfrozen between two runs', async () => {
    const changing = tinyModel()
    changing.freeze('bert')
    await run({ maxSteps: 1 }, { model: changing })
    const name = 'bert.pooler.dense.weight'
    const held = Float32Array.from(changing.parameter(name).data)
    expect(held).toEqual(tinyModel().parameter(name).data)
    changing.unfreeze('bert')
    await run({ maxSteps: 1 }, { model: changing })
    expect(changing.parameter(name).data).not.toEqual(held)
    expect(changing.numParameters({ onlyTrainable: true })).toBe(changing.numParameters())
  })

  it('train nothing where all are frozen, and say so', async () => {
    const still = tinyModel()
    still.freeze(/./)
    await expect(run({ maxSteps: 1 }, { model: still })).rejects.toThrow(
      'All parameters of BertForSequenceClassification are frozen, so there is nothing to train. Call unfreeze()',
    )
  })

  it('are named by a pattern that fits, or refused', () => {
    expect(() => tinyModel().freeze('bert.embedings')).toThrow(
      'No parameter of BertForSequenceClassification is named "bert.embedings", and no name begins with "bert.embedings.". Did you mean "bert.embeddings"?',
    )
    expect(() => tinyModel().freeze(/decoder/)).toThrow(
      'No parameter of BertForSequenceClassification matches /decoder/. Names are, for example, "bert.embeddings.',
    )
  })

  it('stay frozen while labels decide the head', async () => {
    const open = AutoModelForSequenceClassification.fromConfig(
      { ...tinyModel().config, problem_type: null },
      { numLabels: 2 },
    )
    open.freeze('bert')
    const before = Float32Array.from(open.parameter('bert.pooler.dense.bias').data)
    await run({ maxSteps: 2 }, { model: open })
    expect(open.parameter('bert.pooler.dense.bias').data).toEqual(before)
    expect(open.config.problem_type).toBe('single_label_classification')
  })
})

describe('a pattern', () => {
  it.each<[string | RegExp, string, boolean]>([
    ['bert.embeddings', 'bert.embeddings.word_embeddings.weight', true],
    ['bert.embeddings', 'bert.embeddings', true],
    ['bert.embed', 'bert.embeddings.word_embeddings.weight', false],
    ['embeddings', 'bert.embeddings.word_embeddings.weight', false],
    [/embeddings/, 'bert.embeddings.word_embeddings.weight', true],
    [/^embeddings/, 'bert.embeddings.word_embeddings.weight', false],
  ])('%s and %s: %s', (pattern, name, expected) => {
    const names = [name, 'bert.pooler.dense.weight']
    const meant = (): ReadonlySet<string> => namesMeant([pattern, 'bert.pooler'], names, 'a model')
    if (expected) expect(meant()).toEqual(new Set(names))
    else expect(meant).toThrow('No parameter of a model')
  })

  it('is a text or a regular expression, or one of several', () => {
    const names = ['bert.encoder.weight', 'bert.pooler.weight', 'classifier.bias']
    expect(namesMeant(['classifier', /pooler/], names, 'a model')).toEqual(new Set(names.slice(1)))
    expect(() => namesMeant('bert.encoder.*', names, 'a model')).toThrow(/For a pattern give a regular expression/)
    expect(() => namesMeant(undefined as never, names, 'a model')).toThrow('undefined does not say which parameters')
    expect(() => namesMeant([], names, 'a model')).toThrow('An empty list means no parameter of a model')
    expect(() => namesMeant('bert.encodr', names, 'a model')).toThrow('Did you mean "bert.encoder"?')
  })

  it('with the flag g means the same at every call', () => {
    const names = ['a.bias', 'b.bias', 'c.bias']
    expect(namesMeant(/bias/g, names, 'a model')).toEqual(new Set(names))
  })
})

// the losses of the two graphs of artifacts, which are one
import { copyFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setLogLevel, TrainingArtifacts } from 'ts-trainer'
import { describe, expect, it } from 'vitest'
import { knownLoss } from '../../src/artifacts/lossForms'
import { generated, mlpFile, read } from './generated'

setLogLevel('error')

const labels = [{ name: 'labels' }, { name: 'target' }]
const fixtures = join(import.meta.dirname, '../fixtures/onnx')

describe('the loss of a graph', () => {
  it.each([
    ['artifacts-drawn/l1-sgd-constants/', 'mean_absolute_error'],
    ['artifacts-drawn/mse-sgd-clipped/', 'mean_squared_error'],
    ['artifacts-drawn/bce-uncorrected-clipped/', 'binary_cross_entropy'],
    ['artifacts-drawn/attention-frozen/', 'cross_entropy'],
  ])('is known of official artifacts: %s', (folder, loss) => {
    for (const graph of ['training', 'eval'])
      expect(knownLoss(read(join(fixtures, `${folder}${graph}_model.onnx`)).graph, labels)).toBe(loss)
  })

  it.each(['portable', 'onnxruntime-training'] as const)('is known of those that are made here: %s', async dialect => {
    for (const loss of [
      'cross_entropy',
      'mean_squared_error',
      'mean_absolute_error',
      'binary_cross_entropy',
    ] as const) {
      const { trainingModel, evalModel } = await generated({ loss, dialect }, mlpFile())
      for (const file of [trainingModel, evalModel]) expect(knownLoss(read(file).graph, labels)).toBe(loss)
    }
  })
})

const numbers = ['mse', 'l1', 'bce-with-logits'] as const
const pairs = numbers.flatMap(trained => numbers.map(evaluated => [trained, evaluated] as const))

it.each(pairs)('a training graph of %s with an evaluation graph of %s', async (trained, evaluated) => {
  const training = await generated({ loss: trained }, mlpFile())
  const evaluation = await generated({ loss: evaluated, dialect: 'onnxruntime-training' }, mlpFile())
  copyFileSync(evaluation.evalModel, training.evalModel)
  const loaded = TrainingArtifacts.fromPretrained(dirname(training.trainingModel))
  if (trained === evaluated) await loaded
  else
    await expect(loaded).rejects.toThrow(
      /The loss of \S+training_model\.onnx is \w+, but that of \S+eval_model\.onnx is \w+\. Take graphs that were generated together\./,
    )
})

it('a loss of its own is compared with none', async () => {
  const own = await generated(
    {
      loss: ({ logits }, target, _count, graph) => graph.sum(graph.abs(graph.sub(logits!, target))),
      labels: 'numbers',
    },
    mlpFile(),
  )
  const other = await generated({ loss: 'mse' }, mlpFile())
  expect(knownLoss(read(own.trainingModel).graph, labels)).toBeUndefined()
  copyFileSync(other.evalModel, own.evalModel)
  await TrainingArtifacts.fromPretrained(dirname(own.trainingModel))
})

// ids, labels, types, positions and lengths that a graph of another program does not know: told by row, column and number
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  AutoModel,
  generateArtifacts,
  type TrainableModel,
  TrainingArtifacts,
  type TrainingArgumentsOptions,
} from '../../src/index'
import { logMessages } from '../helpers/logMessages'
import { quietTrainer } from '../helpers/quietTrainer'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { tinyModel } from '../helpers/tinyModel'

const messages = logMessages('warning')
const fixtures = join(import.meta.dirname, '../fixtures')
const graph = (name: string): Promise<TrainableModel> => AutoModel.fromOnnx(join(fixtures, `ranges/${name}.onnx`))
const artifacts = (): Promise<TrainableModel> =>
  TrainingArtifacts.fromPretrained(join(fixtures, 'onnx/artifacts-drawn/attention-frozen'))

type Row = Readonly<Record<string, number | readonly number[]>>

const tokens = (length: number): readonly number[] => Array.from({ length }, (_, i) => i + 1)
const row = (length: number, other: Row = {}): Row => ({
  input_ids: tokens(length),
  token_type_ids: tokens(length).map(() => 0),
  labels: 1,
  ...other,
})
const four = (length: number, third: Row = {}): readonly Row[] => [
  row(length),
  row(length),
  row(length, third),
  row(length),
]

type Use = 'train' | 'evaluate' | 'predict'
const uses = ['train', 'evaluate', 'predict'] as const

async function run(
  model: TrainableModel,
  rows: readonly object[],
  use: Use = 'train',
  args: Partial<TrainingArgumentsOptions> = {},
): Promise<number> {
  const trainer = quietTrainer<TrainableModel>({
    model,
    args: {
      outputDir: temporaryFolder(),
      maxSteps: 2,
      perDeviceTrainBatchSize: 4,
      perDeviceEvalBatchSize: 4,
      saveStrategy: 'no',
      reportTo: 'none',
      ...args,
    },
    trainDataset: rows,
    evalDataset: rows,
  } as never)
  onTestFinished(() => trainer.dispose())
  if (use === 'train') return (await trainer.train()).trainingLoss
  if (use === 'evaluate') return Number((await trainer.evaluate()).eval_loss)
  await trainer.predict(rows)
  return 0
}

describe('a graph of another program', () => {
  it.each(uses)('names the row of an id that it does not know: %s', async use => {
    const dataset = use === 'train' ? 'training' : 'evaluation'
    const wrong = run(await graph('open'), four(5, { input_ids: [1, 2, 40, 3, 4] }), use)
    await expect(wrong).rejects.toThrow(
      new RegExp(
        `^"input_ids" of row 2 of the ${dataset} dataset, place 2, is 40, but .*/ranges/open\\.onnx looks it up in ` +
          '"words\\.weight", which has 19 places: 0 to 18\\. Make the column with the tokenizer',
      ),
    )
  })

  it('names the row of a segment that it does not know, and of what is below 0', async () => {
    const types = run(await graph('open'), four(5, { token_type_ids: [0, 0, 0, 0, 2] }))
    await expect(types).rejects.toThrow('"token_type_ids" of row 2 of the training dataset, place 4, is 2, but')
    const below = run(await graph('open'), four(5, { input_ids: [1, 2, -20, 3, 4] }))
    await expect(below).rejects.toThrow(/is -20, but .* has 19 places: 0 to 18\. Make/)
  })

  it('counts places below 0 from the end, as ONNX does, with a warning', async () => {
    const below = run(await graph('open'), four(5, { input_ids: [1, 2, -1, 3, 4] }), 'evaluate')
    expect(await below).toBe(await run(await graph('open'), four(5, { input_ids: [1, 2, 18, 3, 4] }), 'evaluate'))
    expect(messages).toEqual([expect.stringContaining('"input_ids" has numbers below 0, which')])
  })

  it.each(uses)('says how long rows may be where it has so many positions: %s', async use => {
    const rows = [14, 15, 13, 15].map(length => row(length))
    const padded = rows.map(given => ({ ...given, input_ids: tokens(15), token_type_ids: tokens(15).map(() => 1) }))
    await expect(run(await graph('open'), padded, use)).rejects.toThrow(
      new RegExp(
        `open\\.onnx cannot be run on the batch of rows \\d, \\d, \\d, \\d of the ${use === 'train' ? 'training' : 'evaluation'} ` +
          'dataset \\("input_ids" int64\\[4, 15\\], "token_type_ids" int64\\[4, 15\\]\\): The node "/Add_1" \\(Add\\): .*' +
          'the shapes \\[4, 15, 8\\] and \\[1, 12, 8\\] cannot be broadcast together\\. "input_ids" may be 12 at most along ' +
          'axis 1: tokenize with { truncation: true, maxLength: 12 }',
      ),
    )
    await expect(run(await graph('open'), four(12), use)).resolves.toBeTypeOf('number')
  })

  it.each([
    ['counted', 'Where positions are counted by it, give shorter rows: tokenize with { truncation: true, maxLength }'],
    ['ranged', '"input_ids" may be 12 at most along axis 1: tokenize with { truncation: true, maxLength: 12 }'],
  ])('says which table of positions is too short where they are %s', async (name, advice) => {
    const wrong = run(await graph(name), four(15))
    await expect(wrong).rejects.toThrow(
      /cannot be run on the batch of rows \d, \d, \d, \d of the training dataset \("input/,
    )
    const problem = 'Gather" looks up place 12 of "positions.weight", which has 12: 0 to 11.'
    await expect(wrong).rejects.toThrow(`${problem} ${advice}`)
    await expect(run(await graph(name), four(11))).resolves.toBeTypeOf('number')
  })

  it.each(uses)('says for which batches it was exported: %s', async use => {
    await expect(run(await graph('two'), four(5), use)).rejects.toThrow(
      /A batch has 4 rows, but what .*two\.onnx makes of it has 2\. It was exported for batches of 2 rows: set perDeviceTrain/,
    )
    const advised = { perDeviceTrainBatchSize: 2, perDeviceEvalBatchSize: 2 }
    const odd = four(5).slice(1)
    await expect(run(await graph('two'), odd, use, advised)).rejects.toThrow('A batch has 1 row, but')
    const followed = run(await graph('two'), odd, use, { ...advised, dataloaderDropLast: true })
    await expect(followed).resolves.toBeTypeOf('number')
  })
})

describe('training artifacts', () => {
  const given = (third: Row): readonly Row[] =>
    [{}, {}, third, {}].map(other => ({ x: [15, 1, 3, 4, 3, 15], labels: 1, ...other }))

  it.each(['train', 'evaluate'] as const)('name the row of an id and of a label: %s', async use => {
    const dataset = use === 'train' ? 'training' : 'evaluation'
    await expect(run(await artifacts(), given({ x: [1, 2, 3, 19, 4, 5] }), use)).rejects.toThrow(
      new RegExp(
        `^"x" of row 2 of the ${dataset} dataset, place 3, is 19, but .*/eval_model\\.onnx looks it up in "words\\.weight", ` +
          'which has 19 places: 0 to 18\\. ',
      ),
    )
    for (const label of [3, -2])
      await expect(run(await artifacts(), given({ labels: label }), use)).rejects.toThrow(
        new RegExp(
          `^"labels" of row 2 of the ${dataset} dataset is ${label}, but the classes of .*/eval_model\\.onnx are 0 to 2, or ` +
            '-1\\. Number the classes from 0, and give -1 where a label does not count',
        ),
      )
    await expect(run(await artifacts(), given({ labels: -1 }), use)).resolves.toBeTypeOf('number')
  })
})

describe('training artifacts of our own, in ordinary operators', () => {
  it.each(['train', 'evaluate'] as const)('name the row of a label, which nothing looks up: %s', async use => {
    const folder = temporaryFolder()
    await generateArtifacts(tinyModel({}, { numLabels: 3 }), { loss: 'cross-entropy', artifactDirectory: folder })
    const made = (): Promise<TrainableModel> => TrainingArtifacts.fromPretrained(folder)
    const rows = (label: number): readonly object[] =>
      four(4, { labels: label }).map(one => ({ ...one, attention_mask: [1, 1, 1, 1] }))
    for (const label of [3, 50, -1])
      await expect(run(await made(), rows(label), use)).rejects.toThrow(
        new RegExp(
          `^"labels" of row 2 of the .* dataset is ${label}, but the classes of .*/eval_model\\.onnx are 0 to 2, or -100\\. `,
        ),
      )
    for (const label of [0, 2, -100]) await expect(run(await made(), rows(label), use)).resolves.toBeGreaterThan(0)
  })
})

describe('a dropout whose mask has a length of its own', () => {
  it('drops, for batches of any shape', async () => {
    const rows = [row(5), row(5), row(7), row(7)]
    const args = { perDeviceTrainBatchSize: 1, perDeviceEvalBatchSize: 1, learningRate: 1e-9, maxSteps: 8 }
    const dropped = await run(await graph('dropped'), rows, 'train', args)
    const again = await run(await graph('dropped'), rows, 'train', args)
    const without = await run(await graph('dropped'), rows, 'evaluate', args)
    expect(again).toBe(dropped)
    expect(Math.abs(dropped - without)).toBeGreaterThan(1e-4)
    expect(Math.abs(dropped - without)).toBeLessThan(0.2)
  })
})

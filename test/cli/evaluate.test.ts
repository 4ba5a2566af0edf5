import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { AutoModel, AutoModelForTokenClassification, pipeline, setLogLevel } from '../../src/index'
import { runCli } from '../helpers/runCli'
import { savedFolder } from '../helpers/savedFolder'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { tinyConfig, tinyModel } from '../helpers/tinyModel'

setLogLevel('error')

let model: string
const texts = ['a stone', 'the river', 'a garden', 'stone river', 'the', 'a', 'river river', 'garden stone']
const labels = ['bad', 'good', 'meh', 'bad', 'good', 'meh', 'bad', 'good']

function file(name: string, text: string): string {
  const path = join(temporaryFolder(), name)
  writeFileSync(path, text)
  return path
}

const csv = (names: readonly (string | number)[]): string =>
  `review,stars\n${texts.map((text, row) => `${text},${names[row]}\n`).join('')}`

beforeAll(async () => {
  model = await savedFolder()
})

describe('evaluate', () => {
  it('compares with labels by their names and by their numbers: accuracy, F1 and loss as they are defined', async () => {
    const classify = await pipeline('text-classification', model)
    const predicted = await classify(texts, { topK: null })
    await classify.dispose()
    const right = predicted.filter((all, row) => all[0]!.label === labels[row]).length
    const loss = predicted.map((all, row) => -Math.log(all.find(({ label }) => label === labels[row])!.score))
    const mean = loss.reduce((sum, one) => sum + one, 0) / loss.length
    const numbers = labels.map(name => ['bad', 'good', 'meh'].indexOf(name))
    for (const names of [labels, numbers]) {
      const { status, out, error } = await runCli(['evaluate', model, file('rows.csv', csv(names)), '--threads', '1'])
      expect(status, error).toBe(0)
      const metrics = JSON.parse(out) as Record<string, number>
      expect(metrics['eval_accuracy']).toBeCloseTo(right / texts.length, 6)
      expect(metrics['eval_loss']).toBeCloseTo(mean, 4)
      expect(metrics['eval_f1']).toBeGreaterThanOrEqual(0)
      expect(error).toContain('review → stars: 8 rows of')
      expect(error).toMatch(/precision +recall +f1-score +support\n\n +bad .* 3\n +good .* 3\n +meh .* 2\n/)
    }
  })

  it('averages the classes that occur in its table as in eval_f1, and names the others', async () => {
    const wide = await savedFolder(
      tinyModel(
        { vocab_size: 100 },
        { id2label: ['bad', 'good', 'meh', 'fine', 'dull', 'odd', 'new', 'old', 'big', 'low', 'hot'] },
      ),
    )
    const { out, error } = await runCli(['evaluate', wide, file('rows.csv', csv(labels))])
    const { eval_f1: f1 } = JSON.parse(out) as Record<string, number>
    expect(error).toContain('In no label and no prediction, and in no mean: ')
    expect(Number(/macro avg +\S+ +\S+ +(\S+)/.exec(error)?.[1])).toBeCloseTo(f1!, 3)
  })

  it('leaves out rows without a label, and takes as many rows as it is told', async () => {
    const path = file('rows.csv', csv(labels.with(1, '')))
    const { out, error } = await runCli(['evaluate', model, path, '--max-eval-samples', '4', '--prediction-loss-only'])
    expect(error).toContain('1 row has no text or no label')
    expect(error).toContain('4 rows of')
    const metrics = JSON.parse(out) as Record<string, number>
    expect(metrics['eval_loss']).toBeGreaterThan(0)
    expect(metrics['eval_accuracy']).toBeUndefined()
  })

  it('cuts texts where the model ends', async () => {
    const long = labels.map(() => 'stone river '.repeat(40))
    const rows = long.map((text, row) => `${text},${labels[row]}\n`).join('')
    for (const family of ['bert', 'roberta']) {
      const short = await savedFolder(
        tinyModel(
          { model_type: family, vocab_size: 100, pad_token_id: 1, max_position_embeddings: 12 },
          { id2label: ['bad', 'good', 'meh'] },
        ),
      )
      const { status, error } = await runCli([
        'evaluate',
        short,
        file('rows.csv', `review,stars\n${rows}`),
        '--text',
        'review',
      ])
      expect(status, error).toBe(0)
    }
  })

  it('judges numbers, and several classes in a row', async () => {
    const fields = { vocab_size: 100 }
    const regression = await savedFolder(tinyModel(fields, { numLabels: 1 }))
    const path = file('rows.csv', csv(labels.map((_, row) => row * 1.5)))
    const { status, out, error } = await runCli(['evaluate', regression, path])
    expect(status, error).toBe(0)
    expect(Object.keys(JSON.parse(out) as object)).toEqual(
      expect.arrayContaining(['eval_loss', 'eval_mse', 'eval_pearson', 'eval_spearmanr']),
    )
    const several = await savedFolder(
      tinyModel(fields, { id2label: ['cold', 'wet'], problemType: 'multi_label_classification' }),
    )
    const rows = texts.map((text, row) => `${JSON.stringify({ text, is: row % 2 ? ['wet'] : ['wet', 'cold'] })}\n`)
    const judged = await runCli(['evaluate', several, file('rows.jsonl', rows.join('')), '--label', 'is'])
    expect(judged.status, judged.error).toBe(0)
    expect(judged.error).toMatch(/cold .* 4\n +wet .* 8\n/)
    expect(JSON.parse(judged.out)).toHaveProperty('eval_f1')
  })

  it('takes the rows that a dataset keeps for evaluations, or those that are named', async () => {
    const folder = temporaryFolder()
    for (const [split, rows] of [
      ['train', 8],
      ['validation', 4],
      ['test', 5],
    ] as const)
      writeFileSync(
        join(folder, `${split}.csv`),
        csv(labels)
          .split('\n')
          .slice(0, rows + 1)
          .join('\n'),
      )
    const [validation, test] = [
      await runCli(['evaluate', model, folder, '--label', 'stars']),
      await runCli(['evaluate', model, folder, '--split', 'test', '--label', 'stars']),
    ]
    expect(validation.error).toContain(`4 rows of validation of ${folder}`)
    expect(test.error).toContain(`5 rows of test of ${folder}`)
    const other = await runCli(['evaluate', model, folder, '--split', 'tset'])
    expect([other.status, other.error]).toEqual([1, expect.stringContaining("Did you mean 'test'?")])
  })

  it('refuses models that were not trained to classify texts', async () => {
    const path = file('rows.csv', csv(labels))
    const fields = { ...tinyConfig, vocab_size: 100 }
    const tokens = await savedFolder(AutoModelForTokenClassification.fromConfig(fields, { numLabels: 3 }))
    const encoder = await savedFolder(AutoModel.fromConfig(fields))
    for (const [folder, message] of [
      [tokens, 'was trained for token-classification, not for text-classification.'],
      [encoder, 'was not trained for text-classification: it lacks classifier.weight'],
    ] as const) {
      const { status, error } = await runCli(['evaluate', folder, path])
      expect([status, error]).toEqual([1, expect.stringContaining(message)])
    }
  })

  it('says what is wrong', async () => {
    const path = file('rows.csv', csv(labels))
    const cases: [string[], number, string][] = [
      [[], 2, 'evaluate needs a model'],
      [[model], 2, 'evaluate needs rows with labels'],
      [[model, path, '--learning-rate', '1'], 2, "evaluate does not take '--learning-rate'"],
      [[model, path, '--per_device_eval_batch_sise', '1'], 2, 'Did you mean --per-device-eval-batch-size?'],
      [
        [model, path, '--per-device-eval-batch-size', '0'],
        2,
        '--per-device-eval-batch-size should be a whole number from 1 on',
      ],
      [[model, path, '--max-length', '0.5'], 2, '--max-length should be a whole number from 1 on, but is 0.5.'],
      [[model, path, '--max-length', '9999'], 2, '--max_length is 9999, but the tokenizer and the model take'],
      [[model, path, '--label', 'star'], 1, "Did you mean 'stars'?"],
      [[model, 'nowhere.csv'], 1, 'nowhere.csv'],
      [[model, file('other.csv', csv(labels.with(3, 'great')))], 1, 'Row 4 of'],
    ]
    for (const [words, expected, message] of cases) {
      const { status, out, error } = await runCli(['evaluate', ...words])
      expect({ words, status, out }).toEqual({ words, status: expected, out: '' })
      expect(error).toContain(message)
    }
  })
})

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AutoModelForSequenceClassification, AutoTokenizer, pipeline, setLogLevel } from 'ts-trainer'
import { describe, expect, it, vi } from 'vitest'
import { place, reviews, train, useReviews, write, writeLines } from '../helpers/reviews'
import { runCli } from '../helpers/runCli'

setLogLevel('error')

useReviews()

const configOf = (): Record<string, unknown> =>
  JSON.parse(readFileSync(join(place.folder, 'out/config.json'), 'utf8')) as Record<string, unknown>

describe('ts-trainer train', () => {
  it('makes a model of a spreadsheet: columns guessed, classes named, the next command at the end', async () => {
    const { status, result, error } = await train(write('reviews.csv', reviews))
    expect(status).toBe(0)
    expect(result).toMatchObject({
      model: join(place.folder, 'out'),
      task: 'text-classification',
      text: ['review'],
      label: ['stars'],
      classes: ['1', '5'],
      rows: { train: 32, validation: 8, leftOut: 0 },
      train_loss: expect.any(Number),
      eval_loss: expect.any(Number),
      eval_accuracy: expect.any(Number),
      eval_f1: expect.any(Number),
    })
    expect(error).toMatch(/^text +review \(guessed: the only texts\)\nlabel +stars \(guessed: the only column with few/)
    expect(error).toContain('the same share of each')
    expect(error).toContain(
      `npx ts-trainer predict ${join(place.folder, 'out')} ${join(place.folder, 'reviews.csv')} --text`,
    )
    expect(configOf()).toMatchObject({ id2label: { 0: '1', 1: '5' }, problem_type: 'single_label_classification' })
    for (const file of ['README.md', 'onnx/model.onnx', 'eval_results.json', 'tokenizer.json', 'checkpoint-2'])
      expect(existsSync(join(place.folder, 'out', file)), file).toBe(true)
    expect(readFileSync(join(place.folder, 'out/README.md'), 'utf8')).toContain(' on the reviews.csv dataset.')
    const classify = await pipeline('text-classification', join(place.folder, 'out'))
    expect(['1', '5']).toContain((await classify('good'))[0]!.label)
    await classify.dispose()
  })

  it('learns by heart what it is given, and keeps the best model', async () => {
    const out = join(place.folder, 'out')
    const words = ['--num_train_epochs', '8', '--learning_rate', '5e-3', '--output_dir', out]
    const quiet = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    const { status, out: text } = await runCli(['train', write('a.csv', reviews), '--model', place.model, ...words])
    quiet.mockRestore()
    expect(status).toBe(0)
    expect(JSON.parse(text)).toMatchObject({ eval_accuracy: 1, eval_f1: 1 })
    const saved = JSON.parse(readFileSync(join(out, 'training_args.json'), 'utf8')) as object
    expect(saved).toMatchObject({ eval_strategy: 'epoch', load_best_model_at_end: true, metric_for_best_model: 'f1' })
  })

  it('leaves out rows without a text or a label, and says which', async () => {
    const rows = [...reviews, ['', '5'], ['no stars', ''], ['fine', '5']]
    const { error, result } = await train(write('reviews.csv', rows))
    expect(error).toContain('2 rows have no text or no label in ')
    expect(error).toContain('are left out: 41, 42 (counted from 1).')
    expect(result).toMatchObject({ rows: { leftOut: 2 }, classes: ['1', '5'] })
  })

  it('learns numbers where there are many, or where it is told', async () => {
    const path = write(
      'prices.csv',
      reviews.map(([text], row) => [text, row + 0.5]),
      'text,price',
    )
    const { result, error } = await train(path)
    expect(result).toMatchObject({ task: 'regression', classes: [], eval_mse: expect.any(Number) })
    expect(Object.keys(result)).toEqual(expect.arrayContaining(['eval_pearson', 'eval_spearmanr']))
    expect(error).toContain('regression (40 different numbers; --task')
    expect(configOf()).toMatchObject({ problem_type: 'regression' })
    expect((await train(write('reviews.csv', reviews), '--task', 'regression')).result['task']).toBe('regression')
    expect((await train(path, '--task', 'text-classification')).error).toContain("'price' is no column of classes")
  })

  it('reads several classes in a row: lists, or columns of 0 and 1', async () => {
    const lists = reviews.map(([text, stars], row) => ({
      text,
      tags: stars === '5' ? ['fun', 'long'] : row % 3 ? ['dull'] : [],
    }))
    const { result } = await train(writeLines('tags.jsonl', lists))
    expect(result).toMatchObject({
      task: 'multi-label-classification',
      classes: ['dull', 'fun', 'long'],
      eval_f1: expect.any(Number),
    })
    const columns = write(
      'columns.csv',
      reviews.map(([text, stars], row) => [text, stars === '5' ? 1 : 0, row % 3 === 0 ? 1 : 0]),
      'text,fun,long',
    )
    const { result: same } = await train(columns, '--label', 'fun', '--label', 'long')
    expect(same).toMatchObject({ task: 'multi-label-classification', classes: ['fun', 'long'] })
    expect(configOf()).toMatchObject({ problem_type: 'multi_label_classification', id2label: { 0: 'fun', 1: 'long' } })
  })

  it('reads pairs of texts, and another file to validate on', async () => {
    const pairs = (count: number): object[] =>
      Array.from({ length: count }, (_, row) => ({ sentence1: `one ${row}`, sentence2: `two ${row}`, label: row % 2 }))
    const [path, other] = [writeLines('pairs.jsonl', pairs(20)), writeLines('other.jsonl', pairs(6))]
    const { result, error } = await train(path, '--validation', other)
    expect(result).toMatchObject({ text: ['sentence1', 'sentence2'], rows: { train: 20, validation: 6 } })
    expect(error).toContain(`6 to validate on (${other})`.replaceAll('/', '/').split(' (')[0])
    const named = await train(path, '--text', 'sentence2', '--text', 'sentence1', '--validation', 'none')
    expect(named.result).toMatchObject({ text: ['sentence2', 'sentence1'], rows: { train: 20, validation: 0 } })
    expect(named.result).not.toHaveProperty('eval_loss')
    const strange = writeLines('strange.jsonl', [{ sentence1: 'a', sentence2: 'b', label: 7 }])
    expect((await train(path, '--validation', strange)).error).toContain(
      `Row 1 of ${strange} has '7' in 'label', which no row that is trained on has; the classes are 0, 1.`,
    )
  })

  it('takes its own flags and training arguments from --config, and flags before it', async () => {
    write('reviews.csv', reviews)
    const config = join(place.folder, 'run.yaml')
    writeFileSync(config, `data: ${place.folder}/reviews.csv\ntext: review\nlabel: [stars]\nvalidation: 0.5\nseed: 7\n`)
    const { result } = await train('--config', config, '--seed', '8')
    expect(result).toMatchObject({ rows: { train: 20, validation: 20 } })
    expect(JSON.parse(readFileSync(join(place.folder, 'out/training_args.json'), 'utf8'))).toMatchObject({ seed: 8 })
  })

  it('keeps the best model where it is evaluated by steps, and says how to weigh rare classes', async () => {
    const rows = [...reviews, ...reviews.map(([text]) => [text, '5']), ...reviews.map(([text]) => [text, '5'])]
    const { result, error } = await train(
      write('reviews.csv', rows),
      ...[
        '--eval_strategy',
        'steps',
        '--eval_steps',
        '1',
        '--class_weights',
        'balanced',
        '--metric_for_best_model',
        'loss',
      ],
    )
    expect(error.replace(/\s+/g, ' ')).toContain("100 rows are '5'".replace('100', '80'))
    expect(result).toHaveProperty('eval_loss')
    const saved = JSON.parse(readFileSync(join(place.folder, 'out/training_args.json'), 'utf8')) as object
    const [epoch, all] = [result['epoch'], JSON.parse(readFileSync(join(place.folder, 'out/all_results.json'), 'utf8'))]
    const { log_history: history } = JSON.parse(readFileSync(join(place.folder, 'out/trainer_state.json'), 'utf8')) as {
      log_history: { epoch: number }[]
    }
    expect(epoch).toBe(history.at(-1)!.epoch)
    expect(all).toMatchObject({ epoch })
    expect(saved).toMatchObject({ save_strategy: 'best', load_best_model_at_end: true, greater_is_better: false })
  })

  it('saves the length that it cuts to with the tokenizer', async () => {
    const { result } = await train(write('reviews.csv', reviews), '--max_length', '6')
    expect(result).toHaveProperty('eval_loss')
    expect((await AutoTokenizer.fromPretrained(join(place.folder, 'out'))).modelMaxLength).toBe(6)
  })

  it('ends with a checkpoint at Ctrl-C, and says the command that resumes', async () => {
    const path = write('my reviews.csv', reviews)
    const words = ['train', path, '--model', place.model, '--output_dir', join(place.folder, 'out'), '--max_steps', '3']
    const quiet = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    const press = new AbortController()
    press.abort()
    const { status, error, out } = await runCli(words, { interrupt: press.signal })
    expect({ status, out }).toEqual({ status: 130, out: '' })
    expect(error).toContain(`npx ts-trainer train '${path}' --model`)
    expect(error).toMatch(/--max_steps 3 --resume_from_checkpoint true$/)
    const resumed = await runCli([...words, '--resume_from_checkpoint', 'true'])
    quiet.mockRestore()
    expect(resumed.status).toBe(0)
    const step = Number(/checkpoint-(\d+): \1 of 3 updates are done\./.exec(resumed.error)?.[1])
    expect(resumed.error).toContain(`Goes on from ${join(place.folder, 'out', `checkpoint-${step}`)}: `)
    expect(JSON.parse(readFileSync(join(place.folder, 'out/trainer_state.json'), 'utf8'))).toMatchObject({
      global_step: 3,
    })
  })
})

it('ts-trainer train --help lists its flags and the training arguments in 80 columns', async () => {
  const { status, out } = await runCli(['train', '--help'])
  expect(status).toBe(0)
  expect(out.split('\n').filter(line => line.length >= 80)).toEqual([])
  for (const flag of [
    '--text TEXT',
    '--label TEXT',
    '--validation',
    '--learning_rate',
    '--per_device_train_batch_size',
  ])
    expect(out).toContain(`\n  ${flag}`)
})

it('a model that was trained here can be trained on', async () => {
  const path = write('reviews.csv', reviews)
  await train(path)
  const quiet = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  const words = ['--model', join(place.folder, 'out'), '--output_dir', join(place.folder, 'more'), '--max_steps', '1']
  const { status } = await runCli(['train', path, ...words])
  quiet.mockRestore()
  expect(status).toBe(0)
  const again = await AutoModelForSequenceClassification.fromPretrained(join(place.folder, 'more'))
  expect(again.newlyInitialized).toEqual([])
})

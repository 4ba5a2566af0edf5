import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setLogLevel } from 'ts-trainer'
import { describe, expect, it } from 'vitest'
import { place, reviews, train, useReviews, write } from '../helpers/reviews'
import { runCli } from '../helpers/runCli'

setLogLevel('error')
useReviews()

describe('ts-trainer train refuses', () => {
  it('words that it does not know, with the nearest, before anything is read', async () => {
    for (const [words, message] of [
      [['nothing.csv', '--lable', 'a'], 'Did you mean --label?'],
      [['nothing.csv', '--learning_rte', '1'], 'Did you mean learningRate?'],
      [['nothing.csv', '--task', 'regresion'], 'Did you mean regression?'],
      [['nothing.csv', '--task', 'question-answering'], 'examples/questionAnswering.ts'],
      [['nothing.csv', 'more.csv'], "train does not take 'more.csv' after 'nothing.csv'"],
      [['nothing.csv', '--validation', '-1'], '--validation should be a file, a share'],
      [['nothing.csv', '--max_length', '0'], '--max_length should be a whole number above 0'],
      [['nothing.csv', '--class_weights', 'on'], '--class_weights should be balanced'],
      [['nothing.csv', '--metric_for_best_model', 'f2'], 'Choose one of loss, accuracy, f1, mse, pearson, spearmanr.'],
      [
        ['nothing.csv', '--task', 'regression', '--metric_for_best_model', 'f1'],
        "'f1', which regression does not have. Choose one of loss, mse",
      ],
      [['nothing.csv', '--text'], '--text needs a value.'],
      [[], 'train needs a file of rows.'],
    ] as const) {
      const { status, error } = await runCli(['train', ...words])
      expect({ words, status }).toEqual({ words, status: 2 })
      expect(error).toContain(message)
    }
  })

  it('what is not there, with what is', async () => {
    const path = write('reviews.csv', reviews)
    expect((await train(join(place.folder, 'revews.csv'))).error).toContain('reviews.csv')
    expect((await train(path, '--text', 'reviw')).error).toMatch(/has no column 'reviw'.* Did you mean 'review'\?$/)
    expect((await train(path, '--validation', join(place.folder, 'reviews.tsv'))).error).toContain('reviews.csv')
    const config = await train('--config', join(place.folder, 'review.csv'))
    expect(config.error).toContain(`Did you mean ${path}?`)
    expect([config.status, (await train(path, '--label', 'x')).status]).toEqual([1, 1])
  })

  it('files that are not as expected, with advice that a command can follow', async () => {
    const path = join(place.folder, 'latin.csv')
    writeFileSync(path, Buffer.from('review,stars\ncaf\u00e9,1\nno,2\n', 'latin1'))
    const latin = (await runCli(['train', path])).error
    expect(latin).toContain('Save it as UTF-8: iconv -f latin1 -t utf-8.')
    writeFileSync(path, Buffer.from('review,stars\ngood,1\nbad,2\n', 'utf16le'))
    const wide = (await runCli(['train', path])).error
    expect(wide).toContain('Save it as UTF-8: iconv -f utf-16le -t utf-8.')
    expect(latin + wide).not.toContain('encoding: ')
  })

  it('what is wrong in a file of --config, with its name and as it is written there', async () => {
    const config = join(place.folder, 'run.yaml')
    for (const [text, status, message] of [
      [
        'data: a.csv\nlearning_rte: 1',
        2,
        `${config}: learning_rte is not a training argument. Did you mean learningRate?`,
      ],
      ['data: a.csv\nlable: stars', 2, `${config}: lable is unknown. Did you mean label?`],
      ['data: [a', 1, `${config}: The training arguments are neither JSON nor YAML`],
    ] as const) {
      writeFileSync(config, text)
      const ran = await runCli(['train', '--config', config])
      expect({ text, status: ran.status }).toEqual({ text, status })
      expect(ran.error).toContain(message)
    }
  })

  it('rows from which nothing can be learned', async () => {
    const all = (label: (row: number) => unknown, header = 'review,stars'): string =>
      write(
        'reviews.csv',
        reviews.map(([text], row) => [text, label(row)]),
        header,
      )
    const label = ['--label', 'stars']
    expect(
      (
        await train(
          all(() => '5'),
          ...label,
        )
      ).error,
    ).toContain("All rows have the same label in 'stars', 5.")
    expect(
      (
        await train(
          all(row => `id ${row}`),
          ...label,
        )
      ).error,
    ).toContain('its values are all different')
    expect(
      (
        await train(
          all(row => row),
          ...label,
        )
      ).error,
    ).toContain("'stars' has another whole number in each row")
    expect(
      (
        await train(
          all(() => ''),
          ...label,
        )
      ).error,
    ).toContain("No row has a label in 'stars'.")
    expect((await train(all(row => `id ${row}`))).error).toContain('no column that looks like a label')
    writeFileSync(join(place.folder, 'empty.csv'), '')
    expect((await train(join(place.folder, 'empty.csv'))).error).toContain('is empty')
    writeFileSync(join(place.folder, 'empty.csv'), 'review,stars\n')
    expect((await train(join(place.folder, 'empty.csv'))).error).toContain('has no rows to train on')
    expect((await train(write('few.csv', reviews.slice(0, 2)), '--validation', '5')).error).toContain(
      'too few to split',
    )
  })

  it('to guess between several labels', async () => {
    const rows = reviews.map(([text, stars], row) => [text, stars, row % 3])
    const { status, error } = await train(write('a.csv', rows, 'review,points,kind'))
    expect(status).toBe(1)
    expect(error).toContain('may be the label: points (2 values), kind (3 values). Name it: --label points.')
    expect((await train(write('b.csv', rows, 'review,stars,kind'))).result['label']).toEqual(['stars'])
    const bits = reviews.map(([text], row) => [text, row % 2, (row >> 1) % 2])
    expect((await train(write('c.csv', bits, 'review,angry,happy'))).error).toContain(
      'Name one, as --label angry, or several columns of 0 and 1: --label angry --label happy.',
    )
  })

  it('a folder of several configurations, and says how one is named', async () => {
    for (const name of ['one', 'two']) {
      mkdirSync(join(place.folder, 'data', name), { recursive: true })
      writeFileSync(join(place.folder, 'data', name, 'train.csv'), `${name},label\na b,1\nc d,0\n`)
    }
    const { status, error } = await train(join(place.folder, 'data'))
    expect(status).toBe(1)
    expect(error).toContain('Name one: --configuration one.')
  })

  it('a model with a head of other classes, unless it may be replaced', async () => {
    const rows = reviews.map(([text], row) => [text, row % 3])
    const { status, error } = await runCli(['train', write('a.csv', rows), '--model', place.model])
    expect(status).toBe(1)
    expect(error).toContain('--ignore_mismatched_sizes gives it a new one.')
    expect(error).not.toContain('ignoreMismatchedSizes')
  })

  it('an output folder that is a file', async () => {
    const path = write('reviews.csv', reviews)
    const ran = await runCli(['train', path, '--model', place.model, '--output_dir', path, '--max_steps', '1'])
    expect(ran.status).toBe(1)
    expect(ran.error).toContain(path)
  })
})

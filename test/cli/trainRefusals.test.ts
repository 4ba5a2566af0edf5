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

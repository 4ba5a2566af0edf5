import { TrainerError } from 'ts-trainer'
import { describe, expect, it } from 'vitest'
import { type CommandTable, type FlagTable, readFlags, readingWords, UsageError } from '../../src/cli/flags'

const table = {
  name: 'predict',
  usage: 'FILE --model DIR [FLAGS], which may be so long that the first line of the help is two',
  about: ['Says what a model makes of the texts of a file, in so many words that they need two lines.', '  an example'],
  words: 1,
  flags: {
    model: { type: 'text', value: 'DIR', required: true, help: 'A folder.' },
    'batch-size': { type: 'number', help: 'Rows at once.', default: 16 },
    text: { type: 'texts', help: 'A column of texts.' },
    format: { type: 'text', choices: ['csv', 'jsonl'], help: 'The format.' },
    quiet: { type: 'switch', help: 'No notes.' },
  },
} as const satisfies CommandTable<FlagTable>

const read = (...words: string[]): ReturnType<typeof readFlags<(typeof table)['flags']>> =>
  readFlags(table, words, { out: () => {} })

describe('readFlags()', () => {
  it('reads values, defaults and other words', () => {
    expect(read('a.csv', '--model', 'm')).toEqual({
      values: { model: 'm', 'batch-size': 16, text: undefined, format: undefined, quiet: false },
      rest: ['a.csv'],
    })
    expect(read('--model=m', '--text', 'a', '--text=b', '--batch-size', '8', '--quiet', '--format=csv')).toEqual({
      values: { model: 'm', 'batch-size': 8, text: ['a', 'b'], format: 'csv', quiet: true },
      rest: [],
    })
  })

  it('takes the spellings of the training arguments', () => {
    for (const flag of ['--batch_size', '--batchSize', '--batch-size'])
      expect(read('--model', 'm', flag, '4')?.values['batch-size']).toBe(4)
  })

  it('takes what follows -- as words, - as one, and a number below zero as a value', () => {
    expect(read('--model', 'm', '--', '--quiet')?.rest).toEqual(['--quiet'])
    expect(read('--model', 'm', '-')?.rest).toEqual(['-'])
    expect(read('--model', 'm', '--batch-size', '-1')?.values['batch-size']).toBe(-1)
    expect(read('--model', 'm', '--text=')?.values.text).toEqual([''])
  })

  it.each([
    [['--modle', 'x'], "predict does not take '--modle'. Did you mean --model?"],
    [['-m', 'x'], "predict does not take '-m'. npx ts-trainer predict --help lists what it takes."],
    [['a', 'b'], "predict does not take 'b'."],
    [['hf_abcdef', 'hf_abcdef'], "predict does not take 'hf_…'."],
    [['--model'], '--model needs a value (DIR).'],
    [['--model', '--quiet'], '--model needs a value (DIR).'],
    [['--model', 'x', '--model', 'y'], '--model was given twice.'],
    [['--quiet=yes'], "--quiet takes no value, but was given 'yes'."],
    [['--batch-size', 'many'], "--batch-size should be a number, but is 'many'."],
    [['--format', 'json'], "--format should be csv, jsonl, but is 'json'. Did you mean 'jsonl'?"],
    [['a'], 'predict needs --model: A folder.'],
  ])('refuses %j', (words, message) => {
    expect(() => read(...words)).toThrow(UsageError)
    expect(() => read(...words)).toThrow(message)
  })

  it('prints its help within 80 columns, whatever else was written', () => {
    let help = ''
    expect(readFlags(table, ['--modle', '-h'], { out: text => (help = text) })).toBeUndefined()
    expect(help.split('\n').every(line => line.length < 80)).toBe(true)
    expect(help).toMatch(/^Usage: npx ts-trainer predict FILE --model DIR /)
    expect(help).toContain('\n  an example\n')
    expect(help).toContain('\n  --batch-size NUMBER       Rows at once. [16]\n')
    expect(help).toContain('\n  --format TEXT             The format. One of csv, jsonl.\n')
    expect(help).toContain('\n  --help                    This text.')
  })
})

describe('readingWords()', () => {
  it('makes errors of words those of the command line, and leaves others', () => {
    const wrong = new TrainerError('argument', 'No.', { fix: 'Yes.' })
    expect(() =>
      readingWords(() => {
        throw wrong
      }),
    ).toThrow(new UsageError('No.', { fix: 'Yes.', cause: wrong }))
    const missing = new TrainerError('file', 'No.')
    expect(() =>
      readingWords(() => {
        throw missing
      }),
    ).toThrow(missing)
  })
})

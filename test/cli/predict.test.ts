import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { runCommand } from '../../src/cli/commands'
import { AutoModelForTokenClassification, pipeline, setLogLevel } from '../../src/index'
import { savedFolder } from '../helpers/savedFolder'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { tinyConfig } from '../helpers/tinyModel'

setLogLevel('error')

let model: string
let expected: { label: string; score: number }[]
const texts = ['a stone', 'the river', 'a "good", stone']

beforeAll(async () => {
  model = await savedFolder()
  const classify = await pipeline('text-classification', model)
  expected = await classify(texts)
  await classify.dispose()
})

const main = join(import.meta.dirname, '../../src/cli/main.ts')

interface Ran {
  readonly status: number
  readonly out: string
  readonly error: string
}

/** A command with what is piped into it. */
async function predict(words: readonly string[], input?: string | AsyncIterable<Uint8Array>): Promise<Ran> {
  const out: string[] = []
  const error: string[] = []
  const status = await runCommand(['predict', ...words], {
    out: text => out.push(text),
    error: text => error.push(text),
    ...(input !== undefined && { input: typeof input === 'string' ? pieces(input) : input }),
  })
  return { status, out: out.join('\n'), error: error.join('\n') }
}

async function* pieces(text: string): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text)
  for (let at = 0; at < bytes.length; at += 40) yield await Promise.resolve(bytes.subarray(at, at + 40))
}

const jsonl = (rows: readonly object[]): string => rows.map(row => `${JSON.stringify(row)}\n`).join('')

describe('predict', () => {
  it('answers JSON Lines of a pipe as the pipeline does, and keeps what is written', async () => {
    const input = texts.map((text, id) => `{"id": ${id}.0, "text": ${JSON.stringify(text)} }\n`).join('')
    const { status, out, error } = await predict([model], input)
    expect({ status, error }).toEqual({ status: 0, error: '' })
    const lines = out.split('\n')
    expect(lines[0]).toMatch(/^\{"id": 0\.0, "text": "a stone","label":"\w+","score":0\.\d+\}$/)
    for (const [at, line] of lines.entries()) {
      const { label, score } = JSON.parse(line) as (typeof expected)[number]
      expect(label).toBe(expected[at]!.label)
      expect(score).toBeCloseTo(expected[at]!.score, 6)
    }
  })

  it('answers files of CSV and TSV in their own format, or in another', async () => {
    const file = join(temporaryFolder(), 'rows.csv')
    writeFileSync(file, 'id,text\r\n007,a stone\r\n008,the river\r\n9,"a ""good"", stone"\r\n')
    const { out } = await predict([model, file])
    expect(out.split('\n').map(line => line.replace(/\d\.\d+$/, 'N'))).toEqual([
      'id,text,label,score',
      `007,a stone,${expected[0]!.label},N`,
      `008,the river,${expected[1]!.label},N`,
      `9,"a ""good"", stone",${expected[2]!.label},N`,
    ])
    const json = await predict([model, file, '--output-format', 'jsonl', '--top-k', 'all'])
    const first = JSON.parse(json.out.split('\n')[0]!) as Record<string, unknown>
    expect(Object.keys(first)).toEqual(['id', 'text', 'label', 'score', 'label_2', 'score_2', 'label_3', 'score_3'])
    expect(first['id']).toBe('007')
    const tsv = await predict([model, '-', '--format', 'tsv'], 'text\n"a stone\n')
    expect(tsv.out).toMatch(/^text\tlabel\tscore\n"a stone\t\w+\t0\.\d+$/)
  })

  it('gives answers names that no column has', async () => {
    const { out } = await predict([model], jsonl([{ text: 'a stone', label: 'gold', predicted_score: 1 }]))
    expect(Object.keys(JSON.parse(out) as object)).toEqual([
      'text',
      'label',
      'predicted_score',
      'predicted_predicted_label',
      'predicted_predicted_score',
    ])
    const later = await predict([model], jsonl([{ text: 'a' }, { text: 'b', label: 'gold' }]))
    expect(later.status).toBe(1)
    expect(later.error).toContain("Row 2 has a column 'label', which the first row lacks.")
  })

  it('writes a whole file, or none', async () => {
    const output = join(temporaryFolder(), 'answers.csv')
    const { status, out, error } = await predict([model, '--output', output], jsonl([{ text: 'a stone' }]))
    expect({ status, out, error }).toEqual({ status: 0, out: '', error: `1 row with its answer: ${output}` })
    expect(readFileSync(output, 'utf8')).toMatch(/^text,label,score\na stone,\w+,0\.\d+\n$/)
    const broken = join(temporaryFolder(), 'answers.jsonl')
    expect((await predict([model, '--output', broken], '{"text":"a"}\n{')).status).toBe(1)
    expect(existsSync(broken)).toBe(false)
  })

  it('answers the rows before a broken one, and tells its number', async () => {
    for (const [wrong, message] of [
      ['{"text":3}', "Row 3: a text was expected in the column 'text', but it is 3."],
      ['{"text":["c"]}', 'Row 3: a text was expected in the column \'text\', but it is ["c"].'],
      ['{"text":', 'The input, line 3: not valid JSON'],
    ]) {
      const { status, out, error } = await predict([model], `{"text":"a"}\n{"text":"b"}\n${wrong}\n{"text":"d"}\n`)
      expect(status).toBe(1)
      expect(out.split('\n')).toHaveLength(2)
      expect(error).toContain(message)
    }
  })

  it('gives no answer to a row without a text, and says its number', async () => {
    const note = '3 rows have no text and get no answer: '
    const csv = await predict([model, '--top-k', '2'], 'id,text\n1,\n2,a stone\n3,  \n4,""\n')
    expect([csv.status, csv.error]).toEqual([0, `${note}2, 4, 5 (counted from 1, which is the line of names).`])
    expect(csv.out.split('\n').map(line => line.replace(/\w+,0\.\d+/g, 'X'))).toEqual([
      'id,text,label,score,label_2,score_2',
      '1,,,,,',
      '2,a stone,X,X',
      '3,"  ",,,,',
      '4,,,,,',
    ])
    const lines = await predict([model], '{"text":null}\n{"text":"a stone"}\n{"text":""}\n{"other":1}\n')
    expect([lines.status, lines.error]).toEqual([0, `${note}1, 3, 4 (counted from 1).`])
    const answers = lines.out.split('\n').map(line => JSON.parse(line) as Record<string, unknown>)
    expect(answers.map(({ label }) => label)).toEqual([null, expected[0]!.label, null, null])
    const none = await predict([model], 'text,id\n,7\n')
    expect([none.out, none.error]).toEqual([
      'text,id,label,score\n,7,,',
      '1 row has no text and gets no answer: 2 (counted from 1, which is the line of names).',
    ])
  })

  it('says what was read as the name of the only column, and where there are no rows', async () => {
    const named = await predict([model], 'nice\na stone\n')
    expect(named.error).toBe("The text is the only column, 'nice': the first line is read as the name of the column.")
    const empty = await predict([model], 'nice\n')
    expect([empty.status, empty.error]).toEqual([
      0,
      'The input has no rows: of CSV and TSV the first line names the columns.',
    ])
    expect((await predict([model], '{"review":"a stone"}\n')).error).toBe('')
  })

  it('refuses words that are wrong with exit code 2, and the nearest', async () => {
    const cases: [string[], string][] = [
      [[], 'predict needs a model'],
      [[model, '--txt', 'a'], "predict does not take '--txt'. Did you mean --text?"],
      [[model, '--text', 'txt'], "There is no column 'txt'; there are id, text. Did you mean 'text'?"],
      [[model, '--top-k', '0'], '--top-k should be a whole number above 0, or all'],
      [[model, '--batch-size', '0.5'], '--batch-size should be a whole number from 1 on, but is 0.5.'],
      [[model, '--aggregation', 'simple'], '--aggregation is for token-classification'],
      [
        [model, '--text', 'a', '--text', 'b', '--text', 'c'],
        '--text names 3 columns; text-classification takes 1 or 2',
      ],
      [[model, 'rows.xlsx'], 'The name of rows.xlsx does not say what it holds'],
      [[model, '--task', 'feature-extraction'], 'which this command does not answer'],
    ]
    for (const [words, message] of cases) {
      const { status, out, error } = await predict(words, jsonl([{ id: 1, text: 'a' }]))
      expect({ words, status, out }).toEqual({ words, status: 2, out: '' })
      expect(error).toContain(message)
    }
    const missing = await predict([model, 'nowhere.csv'])
    expect(missing.status).toBe(1)
    expect(missing.error).toContain('nowhere.csv cannot be read')
    expect((await predict([model], jsonl([{ id: 1, review: 'a' }]))).error).toContain(
      'Which column has the text? There is none named text; there are id, review. Name it: --text TEXT.',
    )
  })

  it('answers a row as soon as it has come, and reads no faster than is written', async () => {
    let read = 0
    let written = 0
    const input = async function* (): AsyncGenerator<Uint8Array> {
      for (; read < 40; read++) {
        expect(read - written).toBeLessThan(8)
        yield await Promise.resolve(new TextEncoder().encode('{"text":"a"}\n'))
      }
    }
    const status = await runCommand(['predict', model], {
      out: async text => {
        written += text.split('\n').length
        await new Promise(resolve => setTimeout(resolve, 2))
      },
      error: () => undefined,
      input: input(),
    })
    expect({ status, written }).toEqual({ status: 0, written: 40 })
  })

  it('ends at Ctrl-C with 130 and no part of a file', async () => {
    const output = join(temporaryFolder(), 'answers.jsonl')
    const controller = new AbortController()
    const input = async function* (): AsyncGenerator<Uint8Array> {
      yield new TextEncoder().encode('{"text":"a"}\n')
      setTimeout(() => controller.abort(), 20)
      await new Promise(() => undefined) // a pipe that nothing comes from any more
    }
    const status = await runCommand(['predict', model, '--output', output], {
      out: () => undefined,
      error: () => undefined,
      input: input(),
      interrupt: controller.signal,
    })
    expect(status).toBe(130)
    expect(existsSync(output)).toBe(false)
  })

  it("finds a model's task, and writes entities", async () => {
    const ner = await savedFolder(
      AutoModelForTokenClassification.fromConfig({ ...tinyConfig, vocab_size: 100 }, { id2label: ['O', 'B-PER'] }),
    )
    const { status, out } = await predict([ner, '--aggregation', 'none'], jsonl([{ text: 'a stone' }]))
    expect(status).toBe(0)
    expect((JSON.parse(out) as { entities: unknown }).entities).toBeInstanceOf(Array)
    const other = await predict([ner, '--task', 'text-classification'], jsonl([{ text: 'a' }]))
    expect(other.error).toContain('was trained for token-classification, not for text-classification. Give a model')
    const csv = await predict([ner, '--format', 'csv'], 'text\na stone\n')
    expect(csv.out).toMatch(/^text,entities\na stone,/)
  })

  it('ends though nobody closes the pipe: behind a broken row, and at Ctrl-C', async () => {
    for (const [written, expected] of [
      ['{"text":"a"}\n{"text":\n', 1],
      ['{"text":"a"}\n', 130],
    ] as const) {
      const child = spawn(process.execPath, ['--import', 'tsx', main, 'predict', model])
      const ended = new Promise<number | null>(resolve => child.on('close', resolve))
      child.stdin.on('error', () => undefined)
      child.stdin.write(written)
      await new Promise(resolve => child.stdout.once('data', resolve))
      if (expected === 130) child.kill('SIGINT')
      expect(await ended).toBe(expected)
    }
  })

  it('writes no file where none can stand, and says so before it computes', async () => {
    for (const [output, message] of [
      [temporaryFolder(), 'is a folder. Name a file in it.'],
      ['/dev/null', 'is no file, but a device or a pipe. Leave --output out'],
    ] as const) {
      if (output === '/dev/null' && process.platform === 'win32') continue
      const { status, error } = await predict(['./nowhere', '--output', output], jsonl([{ text: 'a' }]))
      expect([status, error]).toEqual([1, expect.stringContaining(message)])
    }
  })

  it('ends quietly with 141 when its reader has enough', async () => {
    const child = spawn(process.execPath, ['--import', 'tsx', main, 'predict', model])
    const ended = new Promise<number | null>(resolve => child.on('close', resolve))
    let error = ''
    child.stderr.on('data', (piece: Buffer) => (error += piece.toString()))
    child.stdin.on('error', () => undefined)
    const feed = setInterval(() => child.stdin.write('{"text":"a stone"}\n'.repeat(100)), 5)
    await new Promise(resolve => child.stdout.once('data', resolve))
    child.stdout.destroy()
    expect(await ended).toBe(141)
    clearInterval(feed)
    expect(error).toBe('')
  })
})

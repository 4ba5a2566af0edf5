import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkFolder, type Tally } from '../scripts/reference/checkFolder'
import { collate, oracleTrainer } from '../scripts/reference/oracleRun'
import { setLogLevel } from '../src/index'
import { temporaryFolder } from './helpers/temporaryFolder'

const oracle = join(import.meta.dirname, 'fixtures/reference')
const runs = [
  'accumulation-smoothing',
  'best-and-tokens',
  'decay-and-warmup',
  'drop-last-sequential',
  'length-groups',
  'plateau',
].map(name => `trainer-runs/${name}`)
const events = ['early-stop', 'resume-accumulation', 'resume-other-rows', 'shares-and-delay'].map(
  name => `trainer-events/${name}`,
)

let work: string
beforeAll(() => {
  setLogLevel('error')
  work = temporaryFolder()
})
afterAll(() => setLogLevel('warning'))

/** Checks a folder; the lines come with the tally. */
async function check(folder: string, only?: string, write?: string): Promise<{ tally: Tally; lines: string[] }> {
  const lines: string[] = []
  const tally = await checkFolder(folder, { only, write, print: line => lines.push(line) })
  return { tally, lines }
}

/** A copy of the oracle in which one file has been changed. */
function changed(name: string, file: string, change: (content: string) => string): string {
  const folder = join(work, name)
  cpSync(oracle, folder, { recursive: true })
  writeFileSync(join(folder, file), change(readFileSync(join(folder, file), 'utf8')))
  return folder
}

function read(path: string): Record<string, unknown> {
  return JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
}

describe('what PyTorch and the Trainer of transformers 5.23 computed', () => {
  it('is what we compute: a model, runs, events, checkpoints and resumed runs', async () => {
    const { tally, lines } = await check(oracle, undefined, join(work, 'out'))
    expect(lines.filter(line => !line.startsWith('passed '))).toEqual([])
    expect(lines.map(line => line.split(/[ :]/)[1])).toEqual(['bert-sequence-classification', ...runs, ...events])
    expect(tally).toEqual({ passed: 11, failed: 0, skipped: 0 })
  }, 300_000)

  it('is stored under the names that the oracle has', () => {
    const out = join(work, 'out')
    expect(Object.keys(read(join(out, 'bert-sequence-classification.json')))).toEqual(['loss', 'outputs', 'gradients'])
    for (const name of runs) {
      const stored = Object.keys(read(join(out, `${name}.json`)))
      expect(stored).toEqual(
        expect.arrayContaining([
          'log_history',
          'train_row_order',
          'train_metrics',
          'global_step',
          'final_evaluation',
          'predictions',
          'parameter_norms',
        ]),
      )
    }
    for (const name of events) {
      const stored = read(join(out, `${name}.json`))
      const names = [
        'events',
        'log_history',
        'checkpoints',
        'best_model_checkpoint',
        'best_metric',
        'best_global_step',
        'global_step',
      ]
      expect(Object.keys(stored)).toEqual(expect.arrayContaining(names))
      expect((stored.events as object[])[0]).toEqual({ event: 'on_init_end', step: 0, epoch: 0, flags: [] })
    }
  })
})

describe('the checker', () => {
  it('fails a run whose loss is off by 2e-4, and names it', async () => {
    const folder = changed('loss', 'trainer-runs/length-groups.json', text =>
      text.replace(/"loss": ([\d.]+)/, (_, loss: string) => `"loss": ${Number(loss) * 1.0002}`),
    )
    const { tally, lines } = await check(folder, 'length-groups')
    expect(tally).toEqual({ passed: 0, failed: 1, skipped: 0 })
    expect(lines[0]).toMatch(
      /^failed trainer-runs\/length-groups: 1 of \d+ values are wrong, largest error .* in loss of log_history\[0\]/,
    )
  })

  it.each([
    ['a row', 'trainer-runs/length-groups', '"train_row_order": [', '"train_row_order": [0, ', /first train_row_order/],
    [
      'an event',
      'trainer-events/shares-and-delay',
      '"event": "on_log"',
      '"event": "on_save"',
      /first sequence of events/,
    ],
    [
      'a flag',
      'trainer-events/shares-and-delay',
      '"flags": ["should_log"]',
      '"flags": []',
      /first flags of event \d+, on_step_end/,
    ],
    [
      'a checkpoint',
      'trainer-events/shares-and-delay',
      '"checkpoints": [',
      '"checkpoints": ["checkpoint-1", ',
      /first checkpoints/,
    ],
  ])('fails for %s too many or too few', async (what, name, found, replacement, line) => {
    const { tally, lines } = await check(
      changed(what, `${name}.json`, text => text.replace(found, replacement)),
      name,
    )
    expect(tally.failed).toBe(1)
    expect(lines[0]).toMatch(line)
  })

  it('skips what it cannot check, and fails what throws', async () => {
    const config = 'bert-sequence-classification/config.json'
    const unknown = await check(
      changed('family', config, text => text.replace('"model_type": "bert"', '"model_type": "longformer"')),
      '^bert',
    )
    expect(unknown.lines).toEqual([
      'skipped bert-sequence-classification: the model_type "longformer" is not supported yet',
    ])
    const broken = await check(
      changed('size', config, text => text.replace('"hidden_size": 16', '"hidden_size": 18')),
      '^bert',
    )
    expect(broken.tally).toEqual({ passed: 0, failed: 1, skipped: 0 })
  })

  it('chooses by a pattern in which a lone * is any text', async () => {
    const folder = changed('names', 'bert-sequence-classification/config.json', text =>
      text.replace('"model_type": "bert"', '"model_type": "longformer"'),
    )
    expect((await check(folder, 'bert-*')).tally.skipped).toBe(1)
    expect((await check(folder, 'nothing|^bert.seq')).tally.skipped).toBe(1)
    expect((await check(folder, 'roberta')).tally).toEqual({ passed: 0, failed: 0, skipped: 0 })
  })
})

describe("the runs' collator", () => {
  const rows = [
    { input_ids: [5, 6, 7], attention_mask: [1, 1, 1], token_type_ids: [0, 1, 1], label: 2 },
    { input_ids: [8, 9], attention_mask: [1, 1], token_type_ids: [1, 1], label: 0 },
  ]

  it('gives the model every column of the rows, token by token padded with 0', () => {
    const batch = collate(rows.map((row, i) => ({ ...row, weight: [i + 0.5, 1] })))
    expect(Object.fromEntries(Object.entries(batch).map(([name, { dtype }]) => [name, dtype]))).toEqual({
      input_ids: 'int32',
      attention_mask: 'int32',
      token_type_ids: 'int32',
      labels: 'int32',
      weight: 'float32',
    })
    expect(Object.fromEntries(Object.entries(batch).map(([name, tensor]) => [name, tensor.tolist()]))).toEqual({
      input_ids: [
        [5, 6, 7],
        [8, 9, 0],
      ],
      attention_mask: [
        [1, 1, 1],
        [1, 1, 0],
      ],
      token_type_ids: [
        [0, 1, 1],
        [1, 1, 0],
      ],
      labels: [2, 0],
      weight: [
        [0.5, 1],
        [1.5, 1],
      ],
    })
  })

  it('trains on segments, which change the losses', async () => {
    const losses = async (name: string, segment?: number): Promise<number[]> => {
      const file = 'trainer-runs/dataset.json'
      const folder = changed(name, file, text => JSON.stringify(withSegments(JSON.parse(text) as Sets, segment)))
      const stated = { max_steps: 3, logging_steps: 1, per_device_train_batch_size: 4, save_strategy: 'no' }
      const { trainer } = await oracleTrainer(join(folder, 'trainer-runs'), stated, join(folder, 'run'))
      try {
        await trainer.train()
        return trainer.state.logHistory.flatMap(({ loss }) => (loss === undefined ? [] : [Number(loss)]))
      } finally {
        await trainer.dispose()
      }
    }
    const without = await losses('no segments')
    expect(without).toHaveLength(3)
    // a model that is given no segments takes 0 for all
    expect(await losses('first segment', 0)).toEqual(without)
    const second = await losses('second segment', 1)
    for (const [step, loss] of second.entries()) expect(Math.abs(loss - without[step]!)).toBeGreaterThan(1e-4)
  })
})

type Sets = Readonly<Record<string, readonly { readonly input_ids: readonly number[] }[]>>

/** The rows with every token after the first in this segment; as they are without one. */
function withSegments(sets: Sets, segment: number | undefined): object {
  const segmented = (row: Sets[string][number]): object => ({
    ...row,
    ...(segment !== undefined && { token_type_ids: row.input_ids.map((_, i) => (i === 0 ? 0 : segment)) }),
  })
  return Object.fromEntries(Object.entries(sets).map(([name, rows]) => [name, rows.map(segmented)]))
}

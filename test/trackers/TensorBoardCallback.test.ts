import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { restartEvent, summaryEvent, versionEvent } from '../../src/trackers/tensorboard/events'
import { crc32c, record } from '../../src/trackers/tensorboard/records'
import { asBytes, asNumber, asText, fields } from '../../src/protobuf'
import { createTrainer, logged, run, tinyModel } from '../trainer/support'
import { temporaryFolder } from '../helpers/temporaryFolder'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const time = 1_795_866_673_250

afterEach(() => vi.unstubAllEnvs())

/** What an event says, from its message. */
interface Event {
  step: number
  version?: string
  restarts?: boolean
  readonly scalars: Record<string, number>
  readonly texts: Record<string, string>
}

function eventsIn(file: string): Event[] {
  const bytes = readFileSync(file)
  const events: Event[] = []
  for (let at = 0; at < bytes.length;) {
    const length = Number(bytes.readBigUInt64LE(at))
    events.push(eventOf(bytes.subarray(at + 12, at + 12 + length)))
    at += length + 16
  }
  return events
}

function eventOf(bytes: Uint8Array): Event {
  const event: Event = { step: 0, scalars: {}, texts: {} }
  for (const field of fields(bytes)) {
    if (field.number === 2) event.step = asNumber(field)
    if (field.number === 3) event.version = asText(field)
    if (field.number === 7) event.restarts = true
    if (field.number !== 5) continue
    for (const value of fields(asBytes(field))) {
      const parts = new Map([...fields(asBytes(value))].map(part => [part.number, part]))
      const tag = asText(parts.get(1)!)
      if (parts.has(2)) event.scalars[tag] = asNumber(parts.get(2)!)
      else event.texts[tag] = asText([...fields(asBytes(parts.get(8)!))].find(({ number }) => number === 8)!)
    }
  }
  return event
}

/** The event files of a directory, in the order in which they were written. */
function filesIn(directory: string): string[] {
  const numberOf = (name: string): number => Number(/\d+$/.exec(name)![0])
  return readdirSync(directory)
    .sort((a, b) => numberOf(a) - numberOf(b))
    .map(name => join(directory, name))
}

const onlyFolder = (parent: string): string => {
  const [name, ...others] = readdirSync(parent)
  expect(others).toEqual([])
  return join(parent, name!)
}

describe('the bytes of a file', () => {
  // from tensorboard 2.21's protocol buffers and RecordWriter
  it.each([
    [
      'its version',
      versionEvent(0, time),
      '1800000000000000a37f4b22090000500cb0c2da411a0d627261696e2e4576656e743a32ffe72c40',
    ],
    [
      'its version, at a step',
      versionEvent(9, time),
      '1a00000000000000129bd82d090000500cb0c2da4110091a0d627261696e2e4576656e743a3251e21a63',
    ],
    ['a restart', restartEvent(9, time), '0f000000000000006d532b09090000500cb0c2da4110093a020801bcccd6ce'],
    [
      'numbers and a text',
      summaryEvent({ 'train/loss': 0.1, 'eval/nan': NaN, note: 'an ü' }, 300, time),
      '620000000000000079fd606f090000500cb0c2da4110ac022a540a110a0a747261696e2f6c6f737315cdcccc3d0a0f0a086576616c2f6e616e150000c07f0a2e0a116e6f74652f746578745f73756d6d617279420f08071204120208014205616e20c3bc4a080a060a04746578746e08a65f',
    ],
  ])('%s', (_, event, expected) => {
    expect(hex(record(event))).toBe(expected)
  })

  it('have the check sum of RFC 3720', () => {
    expect(crc32c(new Uint8Array(32)).toString(16)).toBe('8a9136aa')
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)).toString(16)).toBe('46dd794e')
  })
})

describe("reportTo: 'tensorboard'", () => {
  it('writes the texts and every log into runs/<time>_<host>', async () => {
    const messages = logged()
    const computeMetrics = (): Record<string, never> => ({ note: 'good', places: [1, 2], passed: true }) as never
    const { history, outputDir } = await run({ reportTo: 'tensorboard', evalStrategy: 'epoch' }, { computeMetrics })
    const directory = onlyFolder(join(outputDir, 'runs'))
    expect(directory).toMatch(new RegExp(`[A-Z][a-z]{2}\\d\\d_\\d\\d-\\d\\d-\\d\\d_${hostname()}$`))
    const [file, ...others] = filesIn(directory)
    expect(others).toEqual([])
    expect(file).toMatch(new RegExp(`events\\.out\\.tfevents\\.\\d{10}\\.${hostname()}\\.${process.pid}\\.\\d+$`))
    const [version, texts, ...logs] = eventsIn(file!)
    expect(version).toMatchObject({ version: 'brain.Event:2' })
    expect(JSON.parse(texts!.texts['args/text_summary']!)).toMatchObject({ output_dir: outputDir, learning_rate: 0.01 })
    expect(JSON.parse(texts!.texts['model_config/text_summary']!)).toMatchObject({ model_type: 'bert', hidden_size: 8 })
    expect(logs.map(({ step }) => step)).toEqual(history.map(({ step }) => step))
    expect(logs[0]!.scalars['train/loss']).toBe(Math.fround(history[0]!['loss'] as number))
    const evaluated = logs.find(({ scalars }) => scalars['eval/loss'] !== undefined)!
    expect(evaluated.texts).toEqual({ 'eval/note/text_summary': 'good' })
    expect(Object.keys(evaluated.scalars)).toEqual(
      expect.arrayContaining(['eval/passed', 'eval/runtime', 'train/epoch']),
    )
    expect(messages).toEqual(['TensorBoard has no place for eval_places, which is a list: it is left out there.'])
  })

  it('goes on in the directory of the checkpoint, where later steps are forgotten', async () => {
    const args = { reportTo: 'tensorboard', saveStrategy: 'steps', saveSteps: 2 } as const
    const { outputDir } = await run(args)
    await run({ ...args, outputDir }, { resumeFromCheckpoint: `${outputDir}/checkpoint-4` })
    const directory = onlyFolder(join(outputDir, 'runs'))
    const [first, second] = filesIn(directory).map(eventsIn)
    expect(first!.map(({ step }) => step)).toEqual([0, 0, 1, 2, 3, 4, 5, 6, 6])
    expect(second!.map(({ step, version, restarts }) => [step, version ?? restarts])).toEqual([
      [5, 'brain.Event:2'],
      [5, true],
      [5, undefined],
      [6, undefined],
      [6, undefined],
    ])
  })

  it('has a directory for each run, though they begin in the same second', async () => {
    const trainer = createTrainer({ reportTo: 'tensorboard', maxSteps: 1 })
    for (let i = 0; i < 3; i++) await trainer.train()
    const names = readdirSync(join(trainer.args.outputDir, 'runs'))
    expect(names).toHaveLength(3)
    for (const name of names) expect(filesIn(join(trainer.args.outputDir, 'runs', name))).toHaveLength(1)
  })

  it('writes into TENSORBOARD_LOGGING_DIR, trials of a search into folders of their own', async () => {
    const wished = temporaryFolder()
    vi.stubEnv('TENSORBOARD_LOGGING_DIR', wished)
    await run({ reportTo: 'tensorboard', maxSteps: 1 })
    expect(filesIn(wished)).toHaveLength(1)
    const trials = join(wished, 'search')
    vi.stubEnv('TENSORBOARD_LOGGING_DIR', trials)
    const trainer = createTrainer({ reportTo: 'tensorboard' }, { modelInit: () => tinyModel() })
    await trainer.hyperparameterSearch({ nTrials: 2, hpSpace: () => ({ maxSteps: 1 }) })
    expect(readdirSync(trials).sort()).toEqual(['run-0', 'run-1'])
  })

  it('writes nowhere else, whatever a checkpoint says', async () => {
    const args = { reportTo: 'tensorboard', saveStrategy: 'steps', saveSteps: 2 } as const
    const { outputDir } = await run({ ...args, maxSteps: 2 })
    const file = join(outputDir, 'checkpoint-2/trainer_state.json')
    const state = readFileSync(file, 'utf8')
    const outside = temporaryFolder()
    for (const directory of [outside, `runs/../../${outside}`, 'runs/..', '../elsewhere']) {
      writeFileSync(file, state.replace(/"directory": "[^"]+"/, `"directory": ${JSON.stringify(directory)}`))
      await run({ ...args, outputDir, maxSteps: 3 }, { resumeFromCheckpoint: `${outputDir}/checkpoint-2` })
    }
    expect(readdirSync(outside)).toEqual([])
    expect(readdirSync(outputDir).sort()).toEqual(['checkpoint-2', 'checkpoint-3', 'runs'])
    expect(readdirSync(join(outputDir, 'runs'))).toHaveLength(5)
  })

  it('is a warning where its directory cannot be made', async () => {
    const messages = logged()
    const outputDir = temporaryFolder()
    mkdirSync(outputDir, { recursive: true })
    writeFileSync(join(outputDir, 'runs'), 'a file')
    const { output } = await run({ reportTo: 'tensorboard', outputDir })
    expect(output.globalStep).toBe(6)
    expect(messages).toEqual([
      expect.stringMatching(/^TensorBoard is not reported to any longer: Cannot write .*runs.* Training goes on\.$/),
    ])
    expect(statSync(join(outputDir, 'runs')).isFile()).toBe(true)
  })
})

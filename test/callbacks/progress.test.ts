import { describe, expect, it, vi } from 'vitest'
import { CallbackHandler } from '../../src/callbacks/CallbackHandler'
import { ProgressCallback } from '../../src/callbacks/progress'
import { progressLabel, progressLine } from '../../src/terminal/progressBar'
import { metricColumns, ResultTable } from '../../src/callbacks/resultTable'
import { TrainerControl } from '../../src/callbacks/TrainerControl'
import { type LogEntry, TrainerState } from '../../src/callbacks/TrainerState'
import { TrainingArguments, type TrainingArgumentsOptions } from '../../src/TrainingArguments'
import { rememberingStream } from '../helpers/rememberingStream'

/** The final lines on a terminal that knows the few control sequences of the bars. */
function screen(written: readonly string[]): string[] {
  const lines: string[] = ['']
  let row = 0
  let column = 0
  // oxlint-disable-next-line no-control-regex
  const parts = /(\x1B(?:\[\??\d*(?:;\d+)?[A-Za-z]|[78]))|(\n|\r|[^\x1B\n\r]+)/g
  for (const [, sequence, text] of written.join('').matchAll(parts)) {
    if (sequence !== undefined) {
      const [, count = '', kind] = /\[\??(\d*)(?:;\d+)?([A-Za-z])/.exec(sequence) ?? []
      if (kind === 'A') row = Math.max(0, row - Number(count || 1))
      else if (kind === 'G') column = Number(count || 1) - 1
      else if (kind === 'K') lines[row] = count === '2' ? '' : lines[row]!.slice(0, column)
      else if (kind === 'J') lines.splice(row, lines.length, lines[row]!.slice(0, column))
    } else if (text === '\n') {
      row += 1
      column = 0
    } else if (text === '\r') {
      column = 0
    } else {
      lines[row] ??= ''
      lines[row] = lines[row]!.padEnd(column).slice(0, column) + text! + lines[row]!.slice(column + text!.length)
      column += text!.length
    }
    lines[row] ??= ''
  }
  return lines.map(line => line.trimEnd())
}

/** A short run: 2 epochs of 2 steps, an evaluation of 3 batches after each epoch, for each of the sets. */
async function run(
  to: ReturnType<typeof rememberingStream>,
  options: TrainingArgumentsOptions,
  sets: readonly string[] = ['eval'],
): Promise<CallbackHandler> {
  const args = new TrainingArguments(options)
  const control = new TrainerControl()
  const state = new TrainerState({ maxSteps: 4, numTrainEpochs: 2 })
  const handler = new CallbackHandler([new ProgressCallback({ stream: to })])
  handler.context = { evalDataloader: { length: 3 } }
  const log = async (logs: LogEntry): Promise<void> => {
    state.logHistory.push({ ...logs, step: state.globalStep })
    await handler.call('onLog', args, state, control, { logs })
  }
  await handler.call('onTrainBegin', args, state, control)
  for (let step = 1; step <= 4; step++) {
    await handler.call('onStepBegin', args, state, control)
    Object.assign(state, { globalStep: step, epoch: step / 2 })
    await handler.call('onStepEnd', args, state, control)
    if (step > 2) await log({ loss: 1 / step, learning_rate: 1e-5 })
    if (args.evalStrategy === 'no' || step % 2 !== 0) continue
    for (const set of sets) {
      for (let batch = 0; batch < 3; batch++) await handler.call('onPredictionStep', args, state, control)
      const metrics = {
        [`${set}_accuracy`]: 0.75,
        [`${set}_loss`]: 0.5 / step,
        [`${set}_runtime`]: 1,
        [`${set}_samples_per_second`]: 2,
        epoch: state.epoch,
      }
      await log(metrics)
      await handler.call('onEvaluate', args, state, control, { metrics })
    }
    await handler.call('onSave', args, state, control)
  }
  await log({ train_loss: 0.5, train_runtime: 2 })
  await handler.call('onTrainEnd', args, state, control)
  return handler
}

describe('the label', () => {
  it('is that of the notebook', () => {
    const at = (done: number, seconds: number, comment: string, before = 0): string =>
      progressLabel({ done, total: 1720, before, seconds, comment })
    expect(at(1720, 951, 'Epoch 10/10')).toBe('[1720/1720 15:51, Epoch 10/10]')
    expect(at(100, 55, 'Epoch 0.58/10')).toBe('[ 100/1720 00:55<14:51, 1.82 it/s, Epoch 0.58/10]')
    expect(at(0, 1, 'Epoch 0/10')).toBe('[   0/1720 00:01<?, Epoch 0/10]')
    expect(at(900, 10, 'Epoch 5/10', 800)).toBe('[ 900/1720 00:10<01:22, 10.00 it/s, Epoch 5/10]') // resumed at 800
  })

  it('fits the terminal', () => {
    const progress = { done: 50, total: 100, before: 0, seconds: 10, comment: 'Epoch 1/2' }
    expect([200, 80, 60, 30].map(columns => progressLine(progress, columns).length)).toEqual([110, 79, 59, 29])
    expect(progressLine(progress, 80)).toMatch(/^█+░+ \[ 50\/100 00:10<00:10, 5\.00 it\/s, Epoch 1\/2\]$/)
  })
})

describe('an evaluation that is broken off', () => {
  it.each(['by a stop request', 'by an error'])('leaves no bar of its own: %s', async how => {
    const terminal = rememberingStream(true)
    const args = new TrainingArguments({ outputDir: 'out' })
    const [control, state] = [new TrainerControl(), new TrainerState({ maxSteps: 4, numTrainEpochs: 2 })]
    const handler = new CallbackHandler([new ProgressCallback({ stream: terminal })])
    handler.context = { evalDataloader: { length: 3 } }
    await handler.call('onTrainBegin', args, state, control)
    await handler.call('onPredictionStep', args, state, control)
    await vi.waitFor(() => expect(screen(terminal.written).join('\n')).toContain('[1/3 '))
    if (how === 'by an error') handler.dispose()
    else await handler.call('onTrainEnd', args, state, control)
    expect(screen(terminal.written).filter(line => line !== '')).toEqual([expect.stringMatching(/ \[0\/4 /)])
  })
})

describe('a narrow terminal', () => {
  it('has a bar of ten columns at least where a label gives up its comment for it', () => {
    const comment = 'model.safetensors'
    const line = (columns: number): string =>
      progressLine({ done: 28.5e6, total: 90.9e6, before: 0, seconds: 0.64, comment, unit: 'bytes' }, columns)
    expect(line(80)).toMatch(/^[█░]{21} \[28\.5\/90\.9 MB 00:00<00:01, 44\.53 MB\/s, model\.safetensors\]$/)
    expect(line(60)).toMatch(/^[█░]{20} \[28\.5\/90\.9 MB 00:00<00:01, 44\.53 MB\/s\]$/)
    expect(line(30)).toBe('[28.5/90.9 MB 00:00<00:01, 44')
  })
})

describe('the table', () => {
  it('titles metrics as the notebook does', () => {
    expect(
      metricColumns({
        eval_loss: 1,
        eval_matthews_correlation: 2,
        eval_f1: 3,
        eval_runtime: 4,
        eval_steps_per_second: 5,
        epoch: 6,
        total_flos: 7,
        num_input_tokens_seen: 8,
      }),
    ).toEqual({ 'Validation Loss': 1, 'Matthews Correlation': 2, F1: 3 })
    expect(metricColumns({ eval_b_loss: 1, eval_b_accuracy: 2 })).toEqual({ 'B Loss': 1, 'B Accuracy': 2 })
  })

  it('says "No log", and repeats its header for a new column', () => {
    const table = new ResultTable(['Epoch', 'Training Loss', 'Validation Loss'])
    expect(table.add({ Epoch: 1, F1: 1, 'Training Loss': 'No log', 'Validation Loss': 0.5 })).toEqual([
      ' Epoch | Training Loss | Validation Loss |       F1',
      '-------+---------------+-----------------+---------',
      '     1 |        No log |        0.500000 | 1.000000',
    ])
    expect(table.add({ Epoch: 2, 'Training Loss': 0.25, 'Validation Loss': NaN })).toEqual([
      '     2 |      0.250000 |             nan |   No log',
    ])
    expect(table.add({ Epoch: 3, 'Training Loss': 0.25, Recall: 1 })).toHaveLength(3)
  })
})

describe('the table on a narrow terminal', () => {
  it('goes on in further lines, behind the first column', () => {
    const table = new ResultTable(['Epoch', 'Training Loss'], 41)
    expect(table.add({ Epoch: 1, 'Training Loss': 0.5, Accuracy: 1, 'Matthews Correlation': 0.25, F1: 1 })).toEqual([
      ' Epoch | Training Loss | Accuracy',
      '       | Matthews Correlation |       F1',
      '-------+---------------+---------',
      '     1 |      0.500000 | 1.000000',
      '       |             0.250000 | 1.000000',
    ])
    expect(table.add({ Epoch: 2, 'Training Loss': 0.5, Accuracy: 1, 'Matthews Correlation': 0, F1: 1 })).toHaveLength(2)
  })

  it('cuts values that are longer than a line', () => {
    const each = Array.from({ length: 20 }, (_, label) => label)
    const added = new ResultTable(['Epoch'], 40).add({ Epoch: 1, Each: each, F1: 1 })
    expect(added.at(-2)).toBe('     1 | [0, 1, 2, 3, 4, 5, 6, 7, 8, 9…')
    expect(added.every(line => line.length < 40)).toBe(true)
    expect(new ResultTable(['Epoch']).add({ Epoch: 1, Each: each }).at(-1)).toMatch(/19\]$/)
  })
})

describe('on a terminal', () => {
  it('a bar is below a table that grows', async () => {
    const to = rememberingStream(true)
    await run(to, { evalStrategy: 'epoch' })
    const lines = screen(to.written)
    expect(lines.slice(0, 4)).toEqual([
      ' Epoch | Training Loss | Validation Loss | Accuracy',
      '-------+---------------+-----------------+---------',
      '     1 |        No log |        0.250000 | 0.750000',
      '     2 |      0.250000 |        0.125000 | 0.750000',
    ])
    expect(lines[4]).toMatch(/^█+ \[4\/4 00:00, Epoch 2\/2\]$/)
    expect(lines.slice(5).join('')).toBe('')
    expect(to.written.join('')).not.toContain('learning_rate')
    expect(to.written.join('')).not.toContain('\x1B[?7l') // lines may wrap: nothing to restore if training throws
  })

  it('without evaluation every log has a row', async () => {
    const to = rememberingStream(true)
    await run(to, {})
    expect(screen(to.written).slice(0, 4)).toEqual([
      '  Step | Training Loss',
      '-------+--------------',
      '     3 |      0.333333',
      '     4 |      0.250000',
    ])
  })

  it('several evaluation sets share a row', async () => {
    const to = rememberingStream(true)
    await run(to, { evalStrategy: 'epoch' }, ['eval_a', 'eval_b'])
    expect(screen(to.written).slice(0, 3)).toEqual([
      ' Epoch | Training Loss | A Accuracy |   A Loss | B Accuracy |   B Loss',
      '-------+---------------+------------+----------+------------+---------',
      '     1 |        No log |   0.750000 | 0.250000 |   0.750000 | 0.250000',
    ])
  })

  it('an evaluation within an epoch is not shown as that of the epoch before', async () => {
    const [to, args] = [rememberingStream(true), new TrainingArguments({ evalStrategy: 'epoch' })]
    const [state, control] = [new TrainerState({ maxSteps: 4, numTrainEpochs: 2 }), new TrainerControl()]
    const handler = new CallbackHandler([new ProgressCallback({ stream: to })])
    await handler.call('onTrainBegin', args, state, control)
    for (const epoch of [1, 1.067]) {
      await handler.call('onStepBegin', args, state, control)
      Object.assign(state, { epoch })
      await handler.call('onEvaluate', args, state, control, { metrics: { eval_loss: 0.5 } })
    }
    await handler.call('onTrainEnd', args, state, control)
    const rows = screen(to.written).slice(2, 4)
    expect(rows.map(row => row.split('|')[0])).toEqual(['     1 ', '  1.07 '])
  })

  it('evaluation alone has a bar that stays, and prints nothing else', async () => {
    const to = rememberingStream(true)
    const handler = new CallbackHandler([new ProgressCallback({ stream: to })])
    handler.context = { evalDataloader: { length: 2 } }
    const args = new TrainingArguments()
    const state = new TrainerState()
    const control = new TrainerControl()
    for (let batch = 0; batch < 2; batch++) await handler.call('onPredictionStep', args, state, control)
    await handler.call('onLog', args, state, control, { logs: { eval_loss: 1 } })
    await handler.call('onEvaluate', args, state, control, { metrics: { eval_loss: 1 } })
    expect(screen(to.written).filter(line => line !== '')).toEqual([expect.stringMatching(/^█+ \[2\/2 00:00\]$/)])
  })

  it('nothing is drawn after training has thrown', async () => {
    vi.useFakeTimers()
    const to = rememberingStream(true)
    const args = new TrainingArguments()
    const state = new TrainerState({ maxSteps: 4 })
    const control = new TrainerControl()
    const handler = new CallbackHandler([new ProgressCallback({ stream: to })])
    await handler.call('onTrainBegin', args, state, control)
    vi.advanceTimersByTime(1000)
    handler.dispose()
    const before = to.written.length
    vi.advanceTimersByTime(5000)
    expect(to.written).toHaveLength(before)
    vi.useRealTimers()
  })
})

describe('without a terminal', () => {
  it('logs are plain lines, and the table is printed at the end', async () => {
    const to = rememberingStream(false)
    await run(to, { evalStrategy: 'epoch' })
    expect(to.written.join('').split('\n')).toEqual([
      "{'eval_accuracy': '0.75', 'eval_loss': '0.25', 'eval_runtime': '1', 'eval_samples_per_second': '2', " +
        "'epoch': '1'}",
      "{'loss': '0.3333', 'learning_rate': '1e-05'}",
      "{'loss': '0.25', 'learning_rate': '1e-05'}",
      "{'eval_accuracy': '0.75', 'eval_loss': '0.125', 'eval_runtime': '1', 'eval_samples_per_second': '2', " +
        "'epoch': '2'}",
      "{'train_loss': '0.5', 'train_runtime': '2'}",
      ' Epoch | Training Loss | Validation Loss | Accuracy',
      '-------+---------------+-----------------+---------',
      '     1 |        No log |        0.250000 | 0.750000',
      '     2 |      0.250000 |        0.125000 | 0.750000',
      '',
    ])
  })

  it('prints the progress twice a minute', async () => {
    vi.useFakeTimers()
    const to = rememberingStream(false)
    const args = new TrainingArguments()
    const state = new TrainerState({ maxSteps: 100, numTrainEpochs: 1 })
    const control = new TrainerControl()
    const handler = new CallbackHandler([new ProgressCallback({ stream: to })])
    await handler.call('onTrainBegin', args, state, control)
    for (let step = 1; step <= 70; step++) {
      vi.advanceTimersByTime(1000)
      Object.assign(state, { globalStep: step, epoch: step / 100 })
      await handler.call('onStepEnd', args, state, control)
    }
    vi.useRealTimers()
    expect(to.written).toEqual([
      '[ 30/100 00:30<01:10, 1.00 it/s, Epoch 0.30/1]\n',
      '[ 60/100 01:00<00:40, 1.00 it/s, Epoch 0.60/1]\n',
    ])
  })
})

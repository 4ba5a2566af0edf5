// gradient checkpointing on and off, in alternating rounds
import { type Bench, jobOf } from './runs'
import { type Figures, figuresOf, median, rounded } from './figures'
import type { RunResult } from './job'
import { runOurs } from './processes'
import { printTable, say } from './report'

const sides = ['kept', 'recomputed'] as const
type Side = (typeof sides)[number]

/** A run's figures, and the processor's seconds in a step. */
interface CheckpointingFigures extends Figures {
  readonly processorTime: number
}

type Rounds = Readonly<Record<Side, CheckpointingFigures[]>>

/** How much memory and time recomputing takes, and how far the losses are apart. */
export async function compareCheckpointing(bench: Bench): Promise<{ result: object; difference: number }> {
  const rounds: Rounds = { kept: [], recomputed: [] }
  let difference = 0
  for (let round = 0; round < bench.options.rounds; round++) {
    const losses: (readonly number[])[] = []
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
      const run = await runSide(bench, side)
      rounds[side].push(checkpointingFigures(bench, run))
      losses.push(run.losses)
    }
    difference = Math.max(difference, ...losses[0]!.map((loss, i) => Math.abs(loss - losses[1]![i]!)))
    const speeds = sides.map(side => `${side} ${rounds[side].at(-1)!.samplesPerSecond.toFixed(2)}`)
    say(`round ${round + 1}, samples/s: ${speeds.join(', ')}`)
  }
  if (difference !== 0) process.exitCode = 1
  printFigures(bench, rounds)
  const time = 1 / ratio(rounds, 'samplesPerSecond')
  const processor = ratio(rounds, 'processorTime')
  const memory = ratio(rounds, 'peakMemory')
  say(
    `recomputing takes ${time.toFixed(2)} times the time, ${processor.toFixed(2)} times the processor's, ` +
      `${memory.toFixed(2)} times the memory; losses are ${difference} apart at most\n`,
  )
  const result = { timeRatio: rounded(time), processorRatio: rounded(processor), memoryRatio: rounded(memory) }
  return { result: { ...result, rounds: bench.options.rounds }, difference }
}

function runSide(bench: Bench, side: Side): Promise<RunResult> {
  const own = { steps: bench.options.steps, keepLosses: true, config: bench.work.dropout }
  const job = jobOf(bench, 'ts-trainer', own)
  return runOurs({ ...job, warmup: 1, gradientCheckpointing: side === 'recomputed' })
}

function checkpointingFigures({ options, work }: Bench, run: RunResult): CheckpointingFigures {
  const times = run.processorTime!
  return { ...figuresOf(run, 1, work.flops), processorTime: (times.at(-1)! - times[0]!) / options.steps }
}

function printFigures({ options: { rounds: count, steps } }: Bench, rounds: Rounds): void {
  const middle = (side: Side, key: keyof CheckpointingFigures): number => median(rounds[side].map(each => each[key]!))
  say(`\nmedians of ${count} rounds of ${steps} steps, with dropout`)
  printTable(
    ['', 'samples/s', "processor's seconds a step", 'peak memory, MiB'],
    sides.map(side => [
      side,
      middle(side, 'samplesPerSecond').toFixed(2),
      middle(side, 'processorTime').toFixed(2),
      (middle(side, 'peakMemory') / 2 ** 20).toFixed(2),
    ]),
  )
}

/** Recomputed over kept, the median of the rounds. */
function ratio(rounds: Rounds, key: 'samplesPerSecond' | 'processorTime' | 'peakMemory'): number {
  return median(rounds.kept.map((kept, round) => rounds.recomputed[round]![key] / kept[key]))
}

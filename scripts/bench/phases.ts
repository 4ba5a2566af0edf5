// intervals and profiler files → where the time went
import { readFileSync, writeFileSync } from 'node:fs'
import type { PhaseSpan, RunResult } from './job'

/** One line of a table of times, in milliseconds of the whole window. */
export interface Part {
  readonly name: string
  /** Time that goes to nothing above it in the table: the parts and the rest add up to the window. */
  readonly time: number
  /** All of its time, that which passes while something else runs included. */
  readonly whole: number
  readonly count: number
}

/** A part of the run, in milliseconds since the process began. */
export interface Window {
  readonly from: number
  readonly to: number
}

/**
 * What time is given to first where intervals overlap: an update may run programs, and rows are collated while a
 * program runs.
 */
const phases = ['update', 'run', 'collect', 'masks', 'pack', 'collate'] as const

/** The steps that are timed. */
export function windowOf(result: RunResult, warmup: number): Window {
  return { from: result.stepEnds[warmup - 1]! * 1000, to: result.stepEnds.at(-1)! * 1000 }
}

/** The window's time by phase, and the rest. */
export function phaseParts(spans: readonly PhaseSpan[], window: Window): readonly Part[] {
  const covered: PhaseSpan[] = []
  let before = 0
  const parts = phases.map((phase): Part => {
    const own = spans
      .filter(span => span.phase === phase && span.end > window.from && span.start < window.to)
      .map(span => ({ ...span, start: Math.max(span.start, window.from), end: Math.min(span.end, window.to) }))
    covered.push(...own)
    const after = unionLength(covered)
    const part = { name: phase, time: after - before, whole: unionLength(own), count: own.length }
    before = after
    return part
  })
  const rest = window.to - window.from - before
  return [...parts, { name: 'rest', time: rest, whole: rest, count: 0 }]
}

/** The update's share of the window, clipping included. */
export function updateShare(spans: readonly PhaseSpan[], window: Window): number {
  return phaseParts(spans, window)[0]!.time / (window.to - window.from)
}

/** An operator's run, in milliseconds since the process began. */
export interface OperatorRun {
  readonly op: string
  readonly node: string
  readonly start: number
  readonly end: number
}

interface TraceEvent {
  readonly cat?: string
  readonly ph?: string
  readonly name: string
  readonly ts: number
  readonly dur: number
  readonly args?: { readonly op_name?: string }
}

/** What ONNX Runtime's profiler wrote of each operator's runs. */
export function readOperators(programs: RunResult['programs'] = []): readonly OperatorRun[] {
  return programs.flatMap(({ file, startedAt }) =>
    (JSON.parse(readFileSync(file, 'utf8')) as TraceEvent[])
      .filter(({ cat, ph, name }) => cat === 'Node' && ph === 'X' && name.endsWith('_kernel_time'))
      .map(({ name, ts, dur, args }) => ({
        op: args?.op_name ?? 'unknown',
        node: name.replace(/_kernel_time$/, ''),
        start: startedAt + ts / 1000,
        end: startedAt + (ts + dur) / 1000,
      })),
  )
}

/** The window's time by operator, the longest first. */
export function operatorParts(runs: readonly OperatorRun[], window: Window): readonly Part[] {
  const sums = new Map<string, { time: number; count: number }>()
  for (const { op, start, end } of runs) {
    if (start < window.from || end > window.to) continue
    const sum = sums.get(op) ?? { time: 0, count: 0 }
    sums.set(op, { time: sum.time + end - start, count: sum.count + 1 })
  }
  return [...sums]
    .map(([name, { time, count }]) => ({ name, time, whole: time, count }))
    .sort((a, b) => b.time - a.time)
}

/** Writes steps, phases and operators as a trace that Chrome (chrome://tracing) and Perfetto (ui.perfetto.dev) open. */
export function writeTrace(path: string, result: RunResult, operators: readonly OperatorRun[]): void {
  const tracks = ['steps', 'phases', 'collate', 'operators']
  const event = (track: string, name: string, start: number, end: number, args = {}): object => ({
    name,
    ph: 'X',
    pid: 1,
    tid: tracks.indexOf(track),
    ts: start * 1000,
    dur: (end - start) * 1000,
    args,
  })
  const ends = result.stepEnds.map(end => end * 1000)
  writeFileSync(
    path,
    JSON.stringify({
      traceEvents: [
        ...tracks.map((name, tid) => ({ name: 'thread_name', ph: 'M', pid: 1, tid, args: { name } })),
        ...ends.slice(1).map((end, i) =>
          event('steps', `step ${i + 2}`, ends[i]!, end, {
            tokens: result.lengths[i + 1]!.reduce((sum, length) => sum + length, 0),
          }),
        ),
        ...(result.phases ?? []).map(({ phase, start, end }) =>
          event(phase === 'collate' ? 'collate' : 'phases', phase, start, end),
        ),
        ...operators.map(({ op, node, start, end }) => event('operators', op, start, end, { node })),
      ],
    }),
  )
}

/** How long at least one of the intervals lasts. */
function unionLength(spans: readonly { readonly start: number; readonly end: number }[]): number {
  let length = 0
  let until = -Infinity
  for (const { start, end } of spans.toSorted((a, b) => a.start - b.start)) {
    length += Math.max(0, end - Math.max(start, until))
    until = Math.max(until, end)
  }
  return length
}

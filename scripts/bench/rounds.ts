// ts-trainer and its rivals in alternating rounds
import { bareRates, type Bench, jobOf, type Side, warmup } from './runs'
import { type Figures, figuresOf, median, rounded } from './figures'
import { runOurs, runRival } from './processes'
import { printTable, say } from './report'

/** One side's runs, round by round. */
type Rounds = ReadonlyMap<Side, Figures[]>

/** The rounds, and the figures of the last line. */
export async function measure(bench: Bench, tokens: number): Promise<object> {
  const { options, python } = bench
  const sides: Side[] = ['ts-trainer', ...(python === undefined ? [] : options.rivals)]
  const rounds: Rounds = new Map(sides.map(side => [side, []]))
  const rates: Record<string, number> = {}
  for (let round = 0; round < options.rounds; round++) {
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) rounds.get(side)!.push(await timedRun(bench, side))
    for (const [product, rate] of Object.entries(await bareRates(bench, tokens)))
      rates[product] = Math.max(rates[product] ?? 0, rate)
    const speeds = sides.map(side => `${side} ${rounds.get(side)!.at(-1)!.samplesPerSecond.toFixed(2)}`)
    say(`round ${round + 1}, samples/s: ${speeds.join(', ')}`)
  }
  printFigures(rounds)
  printRates(rounds, rates)
  return summaryOf(rounds, Object.keys(rates).length === 0 ? undefined : Math.max(...Object.values(rates)))
}

async function timedRun(bench: Bench, side: Side): Promise<Figures> {
  const { options, work, python } = bench
  const job = jobOf(bench, side, { steps: options.steps, keepLosses: false, config: work.dropout })
  return figuresOf(await (side === 'ts-trainer' ? runOurs(job) : runRival(python!, job)), warmup, work.flops)
}

function printFigures(rounds: Rounds): void {
  const sides = [...rounds.keys()]
  const count = rounds.get('ts-trainer')!.length
  const lasted = rounds.get('ts-trainer')!.some(({ memoryGrowth }) => memoryGrowth !== undefined)
  const beside = '; HF: Hugging Face Trainer; ratio: ts-trainer over it, pair by pair (lowest–highest)'
  say(`\nmedians of ${count} rounds${sides.length > 1 ? beside : ''}`)
  const middle = (side: Side, key: keyof Figures): number => medianOf(rounds, side, key)
  const ratio = (side: Side): string => {
    const ratios = ratiosOf(rounds, side)
    return `${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)})`
  }
  const growth = (share: number): string => (Number.isNaN(share) ? '' : `${(100 * share).toFixed(1)} %`)
  const columns: readonly (readonly [string, (side: Side) => string])[] = [
    ['', side => (side === 'ts-trainer' ? side : `HF ${side}`)],
    ['samples/s', side => middle(side, 'samplesPerSecond').toFixed(2)],
    ['tokens/s', side => middle(side, 'tokensPerSecond').toFixed(0)],
    ...(sides.length > 1 ? [['ratio', (side: Side) => (side === 'ts-trainer' ? '' : ratio(side))] as const] : []),
    ['peak MiB', side => (middle(side, 'peakMemory') / 2 ** 20).toFixed(0)],
    ['start, s', side => middle(side, 'timeToFirstStep').toFixed(2)],
    ...(lasted ? [['growth', (side: Side) => growth(middle(side, 'memoryGrowth'))] as const] : []),
  ]
  printTable(
    columns.map(([head]) => head),
    sides.map(side => columns.map(([, cell]) => cell(side))),
  )
  if (lasted) say('growth of resident memory: the largest median of five samples from step 100 on over the first')
}

/** How near ts-trainer comes to bare products, and what the update takes. */
function printRates(rounds: Rounds, rates: Readonly<Record<string, number>>): void {
  const middle = (key: keyof Figures): number => medianOf(rounds, 'ts-trainer', key)
  for (const [product, rate] of Object.entries(rates)) say(`${(rate / 1e9).toFixed(0)} GFLOP/s  ${product}`)
  const ours = middle('flopsPerSecond')
  const share = ours / Math.max(...Object.values(rates))
  const beside = Object.keys(rates).length === 0 ? '' : `: ${(100 * share).toFixed(0)} % of the best of these`
  say(`${(ours / 1e9).toFixed(0)} GFLOP/s  ts-trainer${beside}`)
  if (middle('up') > 0) say(`to the device ${middle('up').toFixed(0)} bytes a step, back ${middle('down').toFixed(0)}`)
  say(
    `the update takes ${(100 * middle('updateShare')).toFixed(1)} % of a step; ` +
      `from import to the first step ${middle('importToFirstStep').toFixed(2)} s\n`,
  )
}

function summaryOf(rounds: Rounds, gemmRate: number | undefined): object {
  const common = (side: Side): object => ({
    samplesPerSecond: rounded(medianOf(rounds, side, 'samplesPerSecond')),
    tokensPerSecond: rounded(medianOf(rounds, side, 'tokensPerSecond')),
    peakMemory: medianOf(rounds, side, 'peakMemory'),
    timeToFirstStep: rounded(medianOf(rounds, side, 'timeToFirstStep')),
  })
  const others = [...rounds.keys()].filter(side => side !== 'ts-trainer')
  return {
    ...common('ts-trainer'),
    ...(gemmRate !== undefined && {
      gemmShare: rounded(medianOf(rounds, 'ts-trainer', 'flopsPerSecond') / gemmRate),
      gemmRate: rounded(gemmRate),
    }),
    bytesUp: rounded(medianOf(rounds, 'ts-trainer', 'up')),
    bytesDown: rounded(medianOf(rounds, 'ts-trainer', 'down')),
    updateShare: rounded(medianOf(rounds, 'ts-trainer', 'updateShare')),
    rivals: Object.fromEntries(
      others.map(side => [side, { ...common(side), ratio: rounded(median(ratiosOf(rounds, side))) }]),
    ),
    rounds: rounds.get('ts-trainer')!.length,
  }
}

function medianOf(rounds: Rounds, side: Side, key: keyof Figures): number {
  return median(rounds.get(side)!.map(figures => figures[key] ?? NaN))
}

/** ts-trainer's speed over the other side's, round by round. */
function ratiosOf(rounds: Rounds, side: Side): number[] {
  return rounds
    .get('ts-trainer')!
    .map((figures, round) => figures.samplesPerSecond / rounds.get(side)![round]!.samplesPerSecond)
}

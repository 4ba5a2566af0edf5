// both sides' first losses: whether they train the same
import { type Bench, jobOf } from './runs'
import { rounded } from './figures'
import { runOurs, runRival } from './processes'
import { say } from './report'

/** Both sides' first five losses without dropout; how far they are apart at most, and the tokens of a batch. */
export async function compareLosses(bench: Bench): Promise<{ difference: number | undefined; tokens: number }> {
  const own = { steps: 0, keepLosses: true, config: bench.work.noDropout }
  const ours = await runOurs(jobOf(bench, 'ts-trainer', own))
  const tokens = Math.round(ours.lengths.flat().reduce((sum, length) => sum + length, 0) / ours.lengths.length)
  const digits = (losses: readonly number[]): string => losses.map(loss => loss.toFixed(6)).join('  ')
  say(`first five losses without dropout\n  ts-trainer            ${digits(ours.losses)}`)
  if (bench.python === undefined) return { difference: undefined, tokens }
  const rival = await runRival(bench.python, jobOf(bench, 'plain', own))
  const difference = Math.max(...ours.losses.map((loss, i) => Math.abs(loss - (rival.losses[i] ?? Infinity))))
  const allowed = bench.options.precision === 'float32' ? 1e-4 : 1e-2
  const verdict = difference <= allowed ? 'they agree' : 'THEY DO NOT AGREE'
  say(`  Hugging Face Trainer  ${digits(rival.losses)}`)
  say(`  ${verdict} to ${allowed}: ${difference.toExponential(1)} apart at most`)
  const versions = Object.entries(rival.versions).map(([name, version]) => `${name} ${version}`)
  say(`  ${versions.join(', ')}\n`)
  if (difference > allowed) process.exitCode = 1
  return { difference: rounded(difference), tokens }
}

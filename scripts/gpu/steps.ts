// what is measured on a GPU: the suite's rows of devices, then the bench in each precision

/** One command, and what of the environment it gets beside. */
export interface Step {
  readonly name: string
  readonly device: 'cuda' | 'webgpu'
  /** Words of Node.js. */
  readonly words: readonly string[]
  /** Whether its last line is the bench's JSON. */
  readonly measures: boolean
}

/** How much is measured. */
export interface Extent {
  readonly devices: readonly Step['device'][]
  /** Further words of the bench: shape, task, data, rounds. */
  readonly bench: readonly string[]
  /** Whether the suite's rows are run too. */
  readonly tests: boolean
}

/** The tests that have rows for devices, or count what goes to them. */
const suites = [
  'test/engine/everyEngine.test.ts',
  'test/engine/placement.test.ts',
  'test/parameters',
  'test/programs/forDevice.test.ts',
  'test/training/onDevice.test.ts',
  'test/referenceOnDevice.test.ts',
]

const precisions: Readonly<Record<Step['device'], readonly string[]>> = {
  cuda: ['float32', 'tf32', 'float16', 'bfloat16'],
  webgpu: ['float32', 'float16'],
}

/** The commands, in order. */
export function stepsOf({ devices, bench, tests }: Extent): Step[] {
  return devices.flatMap(device => {
    const run = (name: string, words: readonly string[], measures: boolean): Step => ({ name, device, words, measures })
    const timed = (precision: string, ...further: string[]): Step => {
      const words = ['--import', 'tsx', 'scripts/bench.ts', '--device', device, '--precision', precision]
      return run(`${device}, ${[precision, ...further].join(' ')}`, [...words, ...bench, ...further], true)
    }
    return [
      ...(tests ? [run(`${device}, tests`, ['node_modules/vitest/vitest.mjs', 'run', ...suites], false)] : []),
      ...precisions[device].map(precision => timed(precision)),
      ...precisions[device].filter(precision => precision !== 'tf32').map(precision => timed(precision, '--profile')),
    ]
  })
}

/** A step that was run. */
export interface Outcome {
  readonly name: string
  readonly device: string
  readonly status: number | null
  readonly seconds: number
  /** The bench's figures, or the suite's last lines. */
  readonly figures: Readonly<Record<string, unknown>> | undefined
  /** Why there are none. */
  readonly problem: string | undefined
}

/** What a step's output comes to. */
export function outcomeOf(step: Step, status: number | null, seconds: number, output: string): Outcome {
  const lines = output.trim().split('\n')
  const common = { name: step.name, device: step.device, status, seconds }
  const last = lines.at(-1) ?? ''
  if (status === 0 && step.measures && last.startsWith('{'))
    return { ...common, figures: JSON.parse(last) as Record<string, unknown>, problem: undefined }
  if (status === 0) return { ...common, figures: { summary: lines.slice(-6).join(' | ') }, problem: undefined }
  return { ...common, figures: undefined, problem: problemIn(lines) }
}

/** The line that says what went wrong, or the last one. */
function problemIn(lines: readonly string[]): string {
  const said = lines.findLast(line =>
    /does not start|is not known|Two copies|ended with an error|Error:|reason: /.test(line),
  )
  return said ?? (lines.at(-1) || 'it printed nothing')
}

/** The outcomes as a table of Markdown. */
export function tableOf(outcomes: readonly Outcome[]): string {
  const head = ['', 'samples/s', 'Hugging Face', 'ratio', 'bytes up, down a step', 'losses apart', 'not done']
  const rows = outcomes.map(({ name, figures, problem }) => {
    const given = (figures ?? {}) as Figures
    const plain = given.rivals?.plain
    const bytes = given.bytesUp === undefined ? '' : `${Math.round(given.bytesUp)}, ${Math.round(given.bytesDown ?? 0)}`
    const numbers = [given.samplesPerSecond, plain?.samplesPerSecond, plain?.ratio].map(
      value => value?.toFixed(2) ?? '',
    )
    return [
      name,
      ...numbers,
      bytes,
      given.lossDifference?.toExponential(1) ?? '',
      (problem ?? '').replaceAll('|', '\\|'),
    ]
  })
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

interface Figures {
  readonly samplesPerSecond?: number
  readonly bytesUp?: number
  readonly bytesDown?: number
  readonly lossDifference?: number
  readonly rivals?: { readonly plain?: { readonly samplesPerSecond: number; readonly ratio: number } }
}

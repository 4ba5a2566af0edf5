import { wrapWords } from '../words'
import type { DoctorReport, NvidiaReport, ProviderReport } from './doctor'
import { describeLibrary } from './missing'

const columns = 80
const indent = 14

/** The report as lines of text, none wider than 80 columns but for a path or another word that is. */
export function formatDoctor(report: DoctorReport): string {
  const { node, platform, library, providers, nvidia, processor, memory } = report
  const lines: Line[] = [
    ['Node.js', `${node} on ${platform}`],
    ['ONNX Runtime', library.problem ?? `${library.version} from ${library.source}: ${library.path}`],
    ...extra(library.build),
    ...extra(library.otherCopy),
    ...providers.flatMap((provider, i) => providerLines(provider, i === 0 ? 'Providers' : '')),
    ...nvidiaLines(nvidia),
    ['Processor', `${processor.model}, ${processor.logical} logical processors`],
    ['', `instruction sets: ${processor.flags.join(', ') || 'unknown on this system'}`],
    ['', `bfloat16: ${processor.bfloat16}`],
    ...(processor.hardware.length === 0 ? [] : [['Devices', processor.hardware.join(', ')] as const]),
    ['Threads', `${processor.threads} for one operator`],
    [
      'Memory',
      `${gigabytes(memory.free)} free of ${gigabytes(memory.total)}` +
        (memory.limit === undefined ? '' : `, this process may use ${gigabytes(memory.limit)}`),
    ],
  ]
  return lines.flatMap(wrapped).join('\n')
}

/** A name, which may be empty, its value, and by how much the value's lines are indented further. */
type Line = readonly [name: string, value: string, further?: number]

function extra(value: string | undefined): Line[] {
  return value === undefined ? [] : [['', value]]
}

function providerLines({ name, works, reason, cuda, missing, fixes }: ProviderReport, heading: string): Line[] {
  const built = cuda === undefined ? '' : `, built for CUDA ${cuda},`
  if (works) return [[heading, `${name}${built}: works`.replace(',:', ':')]]
  const why = missing.length > 0 ? `missing: ${missing.map(describeLibrary).join(', ')}` : (reason ?? '')
  return [[heading, `${name}${built} does not work`], ...[why, ...fixes].map((value): Line => ['', value, 2])]
}

function nvidiaLines({ driver, gpus, installed }: NvidiaReport): Line[] {
  const folders = installed.map(({ cuda, version, folder }): Line => [
    'CUDA',
    `${cuda} with ONNX Runtime ${version}, by install cuda: ${folder}`,
  ])
  if (driver === undefined) return folders
  const shown = gpus.map(({ name, capability, memory }, i): Line => [
    '',
    `cuda:${i}: ${name}, compute capability ${(capability / 10).toFixed(1)}, ${gigabytes(memory)}`,
  ])
  return [...folders, ['NVIDIA', `the driver runs CUDA up to ${driver}`], ...shown]
}

/** A line's value, broken between words. */
function wrapped([name, value, further = 0]: Line): string[] {
  const rows = wrapWords(value.replace(/\s+/g, ' '), columns - indent - further)
  return rows.map((row, i) => `${(i === 0 ? name : '').padEnd(indent + further)}${row}`)
}

function gigabytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`
}

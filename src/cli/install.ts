import { parseArgs } from 'node:util'
import {
  installCuda,
  type InstallCudaOptions,
  type Installed,
  type InstalledCuda,
  installOpenvino,
  TrainerError,
} from '../index'
import { readingWords } from './flags'
import type { Streams } from './Streams'

const usage = [
  'Usage: ts-trainer install cuda [--cuda 12|13] [--index-url URL|--wheels FOLDER]',
  '       ts-trainer install openvino [--index-url URL|--wheel FILE]',
  '',
  "Fetches from the Python package index (or from the one in pip's configuration),",
  "checks the sha256, and unpacks into the user's cache: TS_TRAINER_CACHE, or the",
  'usual place of the system.',
  '',
  "cuda: ONNX Runtime with CUDA, and the libraries of NVIDIA's that it needs.",
  "  --cuda 12|13      which CUDA; by default what NVIDIA's driver here runs, or 13",
  '  --wheels FOLDER   wheels on this machine, from `pip download`',
  '',
  "openvino: Intel's plug-in for ONNX Runtime, for bfloat16 on the processor.",
  '  --wheel FILE      a wheel on this machine, from `pip download`',
  '',
  '  --index-url URL   another package index: https://, http:// or file://',
].join('\n')

/** What can be installed, by name: the options of its own, and the rest of the line that is printed in advice. */
const installable = {
  cuda: { own: ['cuda', 'wheels'], local: 'wheels', line: '[--cuda 12|13] [--index-url URL | --wheels FOLDER]' },
  openvino: { own: ['wheel'], local: 'wheel', line: '[--index-url URL | --wheel FILE]' },
} as const

type Name = keyof typeof installable

/** `install cuda`, `install openvino`. @throws TrainerError (`argument`) for other words, and as those functions do. */
export async function runInstall(words: readonly string[], { out }: Streams): Promise<number> {
  const parsed = readingWords(() => parseWords(words))
  if (parsed === undefined) out(usage)
  else if (parsed.name === 'openvino') {
    const { 'index-url': indexUrl, wheel } = parsed.values
    out(formatInstalled(await installOpenvino({ indexUrl, wheel, report: out })))
  } else {
    const { 'index-url': indexUrl, wheels } = parsed.values
    const cuda = parsed.values.cuda as InstallCudaOptions['cuda']
    out(formatCuda(await installCuda({ cuda, indexUrl, wheels, report: out })))
  }
  return 0
}

interface Parsed {
  readonly name: Name
  readonly values: Readonly<Partial<Record<'index-url' | 'wheel' | 'wheels' | 'cuda', string>>>
}

function parseWords(words: readonly string[]): Parsed | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        'index-url': { type: 'string' },
        wheel: { type: 'string' },
        wheels: { type: 'string' },
        cuda: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    })
    const { help, ...given } = values
    return help ? undefined : { name: checkWords(positionals, given), values: given }
  } catch (cause) {
    if (cause instanceof TrainerError) throw cause
    const fix = `Write: ${lineOf(words.find(isName))}.`
    throw new TrainerError('argument', `install: ${(cause as Error).message.replace(/\.?$/, '.')}`, { fix })
  }
}

/** What is to be installed. */
function checkWords(positionals: readonly string[], values: Parsed['values']): Name {
  const [what, ...rest] = positionals
  const refused = (problem: string, name?: Name): TrainerError =>
    new TrainerError('argument', problem, { fix: `Write: ${lineOf(name)}.` })
  if (what === undefined) throw refused('install needs the name of what to install.')
  if (!isName(what) || rest.length > 0) throw refused(`install does not know '${positionals.join(' ')}'.`)
  const { own, local } = installable[what]
  const other = Object.keys(values).find(key => key !== 'index-url' && !(own as readonly string[]).includes(key))
  if (other !== undefined) throw refused(`install ${what} has no --${other}.`, what)
  if (values[local] !== undefined && values['index-url'] !== undefined)
    throw refused(`Give --${local} or --index-url, not both.`, what)
  return what
}

function isName(word: string): word is Name {
  return Object.hasOwn(installable, word)
}

function lineOf(name: Name | undefined): string {
  return name === undefined
    ? 'ts-trainer install cuda, or ts-trainer install openvino'
    : `ts-trainer install ${name} ${installable[name].line}`
}

function size(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}

function list(files: Installed['files']): string[] {
  return files.map(({ name, bytes }) => `${size(bytes).padStart(9)}  ${name}`)
}

function total(files: Installed['files']): string {
  return `${files.length} files, ${size(files.reduce((sum, { bytes }) => sum + bytes, 0))}`
}

/** The files, their place, sizes and licences. */
function formatInstalled({ folder, version, files, license, wasThere }: Installed): string {
  const libraries = files.filter(({ name }) => !['METADATA', 'third-party-programs.txt'].includes(name))
  const done = wasThere ? 'is installed already' : 'is installed'
  return [
    `OpenVINO's plug-in ${version} for ONNX Runtime ${done}: ${total(libraries)}, in`,
    folder,
    ...list(libraries),
    'Licences, by the files there and by the projects:',
    `- the plug-in, copyright Intel Corporation: ${license ?? 'none named'} (METADATA)`,
    '- OpenVINO: Apache 2.0 (third-party-programs.txt, which has the texts)',
    '- oneTBB (libtbb): Apache 2.0 (by its own project; the files do not mention it)',
  ].join('\n')
}

function formatCuda({ folder, cuda, version, files, wasThere }: InstalledCuda): string {
  const libraries = files.filter(({ name }) => !name.startsWith('licenses'))
  const done = wasThere ? 'is installed already' : 'is installed'
  return [
    `ONNX Runtime ${version} with CUDA ${cuda} ${done}: ${total(libraries)}, in`,
    folder,
    ...list(libraries),
    'Licences, whose texts are in its folder licenses/:',
    '- ONNX Runtime, copyright Microsoft Corporation: MIT',
    "- CUDA and cuDNN, copyright NVIDIA Corporation: NVIDIA's own terms",
    "Device 'cuda' finds it there. `npx ts-trainer doctor` says whether it starts.",
  ].join('\n')
}

// libraries from a package index → the user's cache
import { installCuda, type Installed, type InstalledCuda, installOpenvino, nearest } from '../index'
import { exitCodes } from './exitCodes'
import { type CommandTable, type FlagTable, type FlagValues, readFlags, shownWord, UsageError } from './flags'
import type { Streams } from './Streams'

const table = {
  name: 'install',
  usage: 'cuda|openvino [FLAGS]',
  about: [
    "Fetches libraries from the Python package index (or from the one in pip's configuration), checks the sha256, and unpacks into the user's cache: TS_TRAINER_CACHE, or the usual place of the system. cuda is ONNX Runtime with CUDA, and the libraries of NVIDIA's that it needs; openvino is Intel's plug-in for ONNX Runtime, for bfloat16 on the processor.",
    '',
    '  npx ts-trainer install cuda',
  ],
  words: 1,
  flags: {
    cuda: {
      type: 'text',
      value: 'VERSION',
      choices: ['12', '13'],
      help: "Of cuda: by default what NVIDIA's driver here runs, or 13.",
    },
    wheels: { type: 'text', value: 'FOLDER', help: 'Of cuda: wheels on this machine, from pip download.' },
    wheel: { type: 'text', value: 'FILE', help: 'Of openvino: a wheel on this machine, from pip download.' },
    'index-url': { type: 'text', value: 'URL', help: 'Another package index: https://, http:// or file://.' },
  },
} as const satisfies CommandTable<FlagTable>

type Values = FlagValues<typeof table.flags>

/** What can be installed, by name: the flag of what is on this machine, and the flags that are not its own. */
const installable = {
  cuda: { local: 'wheels', others: ['wheel'] },
  openvino: { local: 'wheel', others: ['wheels', 'cuda'] },
} as const satisfies Readonly<Record<string, { local: keyof Values; others: readonly (keyof Values)[] }>>

type Name = keyof typeof installable

/** `install cuda`, `install openvino`. @throws UsageError for other words, and as those functions do. */
export async function runInstall(words: readonly string[], { out, error }: Streams): Promise<number> {
  const given = readFlags(table, words, { out })
  if (given === undefined) return exitCodes.done
  const { 'index-url': indexUrl, cuda, wheel, wheels } = given.values
  const name = nameOf(given.rest[0], given.values)
  out(
    name === 'cuda'
      ? formatCuda(await installCuda({ cuda, indexUrl, wheels, report: error }))
      : formatInstalled(await installOpenvino({ indexUrl, wheel, report: error })),
  )
  return exitCodes.done
}

/** What is to be installed. @throws UsageError for a name or a flag that does not go with it. */
function nameOf(word: string | undefined, values: Values): Name {
  const names = Object.keys(installable).join(' or ')
  if (word === undefined) throw new UsageError(`install needs the name of what to install: ${names}.`)
  if (!isName(word)) {
    const near = nearest(word, Object.keys(installable))
    throw new UsageError(`install does not know '${shownWord(word)}'; it knows ${names}.`, {
      ...(near !== undefined && { fix: `Did you mean '${near}'?` }),
    })
  }
  const { local, others } = installable[word]
  const other = others.find(flag => values[flag] !== undefined)
  if (other !== undefined) throw new UsageError(`install ${word} has no --${other}.`, { fix: 'Leave it out.' })
  if (values[local] !== undefined && values['index-url'] !== undefined)
    throw new UsageError(`install ${word} was given --${local} and --index-url.`, { fix: 'Leave one of them out.' })
  return word
}

function isName(word: string): word is Name {
  return Object.hasOwn(installable, word)
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

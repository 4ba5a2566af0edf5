import { parseArgs } from 'node:util'
import { installOpenvino, type Installed, TrainerError } from '../index'
import type { Streams } from './Streams'

const usage = [
  'Usage: ts-trainer install openvino [--index-url URL | --wheel FILE]',
  '',
  "Fetches Intel's OpenVINO plug-in for ONNX Runtime from the Python package index",
  "(or from the one in pip's configuration), checks its sha256, and unpacks it",
  "into the user's cache: TS_TRAINER_CACHE, or the usual place of the system.",
  '',
  '  --index-url URL  another package index: https://, http:// or file://',
  '  --wheel FILE     a wheel on this machine, from `pip download`',
].join('\n')

/** `install openvino`. @throws TrainerError (`argument`) for other words, and as installOpenvino does. */
export async function runInstall(words: readonly string[], { out }: Streams): Promise<number> {
  const options = parseWords(words)
  if (options === undefined) {
    out(usage)
    return 0
  }
  out(formatInstalled(await installOpenvino({ ...options, report: out })))
  return 0
}

function parseWords(words: readonly string[]): { indexUrl: string | undefined; wheel: string | undefined } | undefined {
  const fix = 'Write: ts-trainer install openvino [--index-url URL | --wheel FILE].'
  try {
    const { values, positionals } = parseArgs({
      args: [...words],
      allowPositionals: true,
      options: { 'index-url': { type: 'string' }, wheel: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    })
    if (values.help) return undefined
    const [what, ...rest] = positionals
    if (what === undefined) throw new TrainerError('argument', 'install needs the name of what to install.', { fix })
    if (what !== 'openvino' || rest.length > 0)
      throw new TrainerError('argument', `install does not know '${positionals.join(' ')}'.`, { fix })
    if (values.wheel !== undefined && values['index-url'] !== undefined)
      throw new TrainerError('argument', 'Give --wheel or --index-url, not both.', { fix })
    return { indexUrl: values['index-url'], wheel: values.wheel }
  } catch (cause) {
    if (cause instanceof TrainerError) throw cause
    throw new TrainerError('argument', `install: ${(cause as Error).message.replace(/\.?$/, '.')}`, { fix })
  }
}

/** The files, their place, sizes and licences. */
function formatInstalled({ folder, version, files, license, wasThere }: Installed): string {
  const size = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`.padStart(9)
  const libraries = files.filter(({ name }) => !['METADATA', 'third-party-programs.txt'].includes(name))
  const total = size(libraries.reduce((sum, { bytes }) => sum + bytes, 0)).trim()
  const done = wasThere ? 'is installed already' : 'is installed'
  return [
    `OpenVINO's plug-in ${version} for ONNX Runtime ${done}: ${libraries.length} files, ${total}, in`,
    folder,
    ...libraries.map(({ name, bytes }) => `${size(bytes)}  ${name}`),
    'Licences, by the files there and by the projects:',
    `- the plug-in, copyright Intel Corporation: ${license ?? 'none named'} (METADATA)`,
    '- OpenVINO: Apache 2.0 (third-party-programs.txt, which has the texts)',
    '- oneTBB (libtbb): Apache 2.0 (by its own project; the files do not mention it)',
  ].join('\n')
}

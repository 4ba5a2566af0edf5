import { parseArgs } from 'node:util'
import { installOpenvino, type Installed, TrainerError } from '../index'
import type { Streams } from './Streams'

const usage = [
  'Usage: ts-trainer install openvino [--index-url URL | --wheel FILE]',
  '',
  "Fetches Intel's OpenVINO plug-in for ONNX Runtime from the Python package index",
  '(or the one that pip is configured to use), checks its sha256, unpacks what',
  "is needed into the user's cache: TS_TRAINER_CACHE, else the system's place.",
  '',
  '  --index-url URL  another package index: https://, http:// or file://',
  '  --wheel FILE     a wheel that is here already, as `pip download` brings it',
].join('\n')

/** `install openvino`. @throws TrainerError (`argument`) for other words; what installOpenvino throws. */
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

/** What is where, how large it is and whose. */
function formatInstalled({ folder, version, files, license, wasThere }: Installed): string {
  const size = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`.padStart(9)
  const libraries = files.filter(({ name }) => !['METADATA', 'third-party-programs.txt'].includes(name))
  const total = size(libraries.reduce((sum, { bytes }) => sum + bytes, 0)).trim()
  return [
    `OpenVINO's plug-in ${version} for ONNX Runtime ${wasThere ? 'is there already' : 'is installed'}: ${libraries.length} files, ${total}, in`,
    folder,
    ...libraries.map(({ name, bytes }) => `${size(bytes)}  ${name}`),
    `Licences: the plug-in, copyright Intel Corporation: ${license ?? 'none named'}, says METADATA there. OpenVINO: Apache 2.0, says`,
    'third-party-programs.txt there, which has the texts. oneTBB (libtbb) is not mentioned there; its own project says Apache 2.0.',
  ].join('\n')
}

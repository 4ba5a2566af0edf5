/**
 * Checks the library against oracle values: a folder with what PyTorch and Hugging Face's Trainer computed.
 *
 * Run: npm run reference -- DIR [--only PATTERN] [--device DEVICE] [--write OUT]
 *
 * Prints a line a case with its largest error, and ends with `N passed, M failed`; with status 1 if one failed or there
 * was none. `--only` chooses cases by their names, `--write` stores what was computed under the oracle's field names.
 * `--device` computes models and runs on that device: models with every node there, and runs whose losses have to be
 * those of the processor to 1e-4; the other kinds of case are skipped.
 */
import { parseArgs } from 'node:util'
import { setLogLevel } from '../src/index'
import { findWebgpuDriver } from '../test/helpers/webgpu'
import { checkFolder } from './reference/checkFolder'

const usage = 'npm run reference -- DIR [--only PATTERN] [--device DEVICE] [--write OUT]'

async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { only: { type: 'string' }, device: { type: 'string' }, write: { type: 'string' } },
  })
  const [folder, ...others] = positionals
  if (folder === undefined || others.length > 0) throw new Error(`One folder is expected: ${usage}`)
  const hindrance = values.device === 'webgpu' ? findWebgpuDriver() : undefined
  if (hindrance !== undefined) throw new Error(`No engine can be made on webgpu: ${hindrance}.`)
  setLogLevel('error') // a run's messages to its user do not belong in the report
  const { passed, failed, skipped } = await checkFolder(folder, { ...values, print: line => console.log(line) })
  if (skipped > 0) console.log(`${skipped} skipped`)
  console.log(`${passed} passed, ${failed} failed`)
  if (failed > 0 || passed + skipped === 0) process.exitCode = 1
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  console.log('0 passed, 1 failed')
  process.exitCode = 1
})

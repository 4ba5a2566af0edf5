// the reference, computed on a device
import { parseArgs } from 'node:util'
import { createEngine } from '../../src/index'
import { findWebgpuDriver } from '../../test/helpers/webgpu'
import { checkFolder } from '../reference/checkFolder'
import { collectStrays } from '../reference/strays'
import type { Check } from './Check'

export const deviceReference: Check = {
  does: 'Computes the models and the whole runs of the reference on a device with every node there: models as PyTorch, runs as the Trainer of transformers, and with the losses of the processor to 1e-4.',
  needs:
    "the reference's folder, and for webgpu a driver of Vulkan (Debian's chromium and libvulkan1 have one in software)",
  takes: 'three minutes in software',
  options: 'DIR [--device webgpu] [--only PATTERN]',
  async run(options, print) {
    const { values, positionals } = parseArgs({
      args: [...options],
      allowPositionals: true,
      options: { device: { type: 'string', default: 'webgpu' }, only: { type: 'string' } },
    })
    const [folder] = positionals
    if (folder === undefined) throw new Error('device-reference needs the folder of the reference.')
    const why = values.device === 'webgpu' ? findWebgpuDriver() : undefined
    if (why !== undefined) {
      print(`skipped: ${why}`)
      return true
    }
    collectStrays()
    const engine = await createEngine({ device: values.device })
    print(`ONNX Runtime ${engine.version}, ${engine.provider}`)
    engine.dispose()
    const printed = (line: string): void => void (/^skipped .*: it is not computed on/.test(line) || print(line))
    const { passed, failed, skipped } = await checkFolder(folder, { ...values, print: printed })
    print(`${passed} passed, ${failed} failed; ${skipped} of other kinds are not computed on a device`)
    return failed === 0 && passed > 0
  },
}

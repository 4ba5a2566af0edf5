import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../helpers/temporaryFolder'

const root = join(import.meta.dirname, '../..')
const tsx = pathToFileURL(join(root, 'node_modules/tsx/dist/esm/index.mjs')).href

describe('examples/quickstart.ts', () => {
  it('gets at least 80 % of the held-out sentences right, and leaves a model that classifies', async () => {
    const folder = temporaryFolder()
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      ['--import', tsx, join(root, 'examples/quickstart.ts')],
      {
        cwd: folder,
        env: { ...process.env, TSX_TSCONFIG_PATH: join(root, 'tsconfig.json') },
      },
    )
    expect(stderr).toMatch(/Epoch \| Training Loss \| Validation Loss \| Accuracy\n[-+]+\n( +[1-5] \|.*\n){5}/)
    expect(Number(/eval_accuracy: ([\d.]+)/.exec(stdout)?.[1])).toBeGreaterThanOrEqual(0.8)
    expect(stdout).toMatch(/delicious.*positive[^]*waste of money.*negative/)
    expect(readdirSync(join(folder, 'out/quickstart/best')).toSorted()).toEqual([
      'config.json',
      'model.safetensors',
      'onnx',
      'special_tokens_map.json',
      'tokenizer.json',
      'tokenizer_config.json',
      'training_args.json',
    ])
  }, 300_000)
})

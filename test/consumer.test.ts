import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const data = join(root, 'examples/data')
const consumer = mkdtempSync(join(tmpdir(), 'ts-trainer-consumer-'))

interface Packed {
  readonly filename: string
  readonly size: number
  readonly files: readonly { readonly path: string }[]
}

let packed: Packed

// What a user does: the tarball, npm install, and the one line that spares the download of GPU libraries.
beforeAll(() => {
  buildIfStale()
  packed = (JSON.parse(npm(root, 'pack', '--json', '--pack-destination', consumer)) as Packed[])[0]!
  writeFileSync(join(consumer, '.npmrc'), 'onnxruntime-node-install=skip\n')
  writeFileSync(join(consumer, 'package.json'), JSON.stringify({ name: 'consumer', private: true }))
  npm(consumer, 'install', `./${packed.filename}`, '--prefer-offline', '--no-audit', '--no-fund')
}, 600_000)

afterAll(() => {
  rmSync(consumer, { recursive: true, force: true })
})

/** The same program twice: how it gets at the package is all that differs. */
const program = `
async function main() {
  const [data, outputDir] = process.argv.slice(2)
  const tokenizer = await AutoTokenizer.fromPretrained(data + '/tokenizer')
  const dataset = await loadDataset(data + '/sentiment')
  const rows = dataset.train.select(Array.from({ length: 48 }, (_, row) => row))
  const encoded = await rows.map(batch => tokenizer(batch.sentence, { truncation: true }), { batched: true })
  const model = await AutoModelForSequenceClassification.fromConfig({
    model_type: 'bert', vocab_size: 30522, hidden_size: 16, num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: 32,
    max_position_embeddings: 128,
  })
  const args = new TrainingArguments({ outputDir, maxSteps: 3, perDeviceTrainBatchSize: 16, saveStrategy: 'no', reportTo: 'none', disableTqdm: true })
  const trainer = new Trainer({ model, args, trainDataset: encoded, processingClass: tokenizer })
  const { globalStep, trainingLoss } = await trainer.train()
  await trainer.saveModel(outputDir)
  process.stdout.write('\\n' + JSON.stringify({ globalStep, trainingLoss }) + '\\n')
}
main()
`
const names = 'AutoModelForSequenceClassification, AutoTokenizer, Trainer, TrainingArguments, loadDataset'

describe('the packed package', () => {
  it('holds the build and the papers, nothing else', () => {
    const paths = packed.files.map(file => file.path)
    expect(paths.filter(path => !path.startsWith('dist/')).toSorted()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json'])
    expect(paths).toEqual(expect.arrayContaining(['index.mjs', 'index.cjs', 'index.d.mts', 'index.d.cts', 'cli.mjs'].map(file => `dist/${file}`)))
    expect(paths.filter(path => !/^dist\/[\w.-]+\.(mjs|cjs|d\.mts|d\.cts)$/.test(path) && path.startsWith('dist/'))).toEqual([])
    expect(packed.size).toBeLessThan(2e6)
  })

  it('carries no path of the machine that built it', () => {
    for (const file of readdirSync(join(consumer, 'node_modules/ts-trainer/dist'))) {
      expect(readFileSync(join(consumer, 'node_modules/ts-trainer/dist', file), 'utf8').includes(root), file).toBe(false)
    }
  })

  it('trains from an ECMAScript module and from a CommonJS one, to the same loss', () => {
    writeFileSync(join(consumer, 'train.mjs'), `import { ${names} } from 'ts-trainer'\n${program}`)
    writeFileSync(join(consumer, 'train.cjs'), `const { ${names} } = require('ts-trainer')\n${program}`)
    const results = ['train.mjs', 'train.cjs'].map(file => {
      const printed = execFileSync(process.execPath, [file, data, `out-${file}`], { cwd: consumer, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
      return JSON.parse(printed.trimEnd().split('\n').at(-1)!) as { globalStep: number; trainingLoss: number }
    })
    expect(results[0]).toEqual({ globalStep: 3, trainingLoss: expect.any(Number) })
    expect(Math.abs(results[0]!.trainingLoss - Math.log(2))).toBeLessThan(0.2)
    expect(results[1]).toEqual(results[0])
    expect(readdirSync(join(consumer, 'out-train.mjs'))).toEqual(expect.arrayContaining(['config.json', 'model.safetensors', 'onnx', 'tokenizer.json']))
  }, 300_000)

  it.each([['nodenext', 'nodenext'], ['esnext', 'bundler']])('has types that a strict TypeScript program reads (module %s, resolution %s)', (module, moduleResolution) => {
    writeFileSync(join(consumer, 'notebook.mts'), readFileSync(join(import.meta.dirname, 'helpers/notebook.txt'), 'utf8'))
    writeFileSync(join(consumer, 'notebook.cts'), "import trainer = require('ts-trainer')\nexport const args: trainer.TrainingArguments = new trainer.TrainingArguments({ outputDir: 'out' })\n")
    writeFileSync(join(consumer, 'tsconfig.json'), JSON.stringify({
      compilerOptions: {
        module, moduleResolution, target: 'es2022', lib: ['es2023'], strict: true, noEmit: true, skipLibCheck: false,
        types: ['node'], typeRoots: [join(root, 'node_modules/@types')],
      },
      files: moduleResolution === 'nodenext' ? ['notebook.mts', 'notebook.cts'] : ['notebook.mts'],
    }))
    expect(compile()).toBe('')
  }, 120_000)

  it('brings a command, ts-trainer', () => {
    const { version } = JSON.parse(readFileSync(join(consumer, 'node_modules/onnxruntime-node/package.json'), 'utf8')) as { version: string }
    expect(npm(consumer, 'exec', '--', 'ts-trainer', 'doctor')).toContain(version)
  })
})

function npm(cwd: string, ...words: string[]): string {
  // npm's own environment is left out, or the outer project's settings would reach in here
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.toLowerCase().startsWith('npm_')))
  return execFileSync('npm', words, { cwd, env, encoding: 'utf8', shell: process.platform === 'win32', stdio: ['ignore', 'pipe', 'pipe'] })
}

// `npm test` builds before; a single `vitest run` must not test yesterday's build.
function buildIfStale(): void {
  const changed = (file: string): number => statSync(join(root, file), { throwIfNoEntry: false })?.mtimeMs ?? 0
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).map(file => join('src', file))
  const newest = Math.max(...[...sources, 'package.json', 'tsdown.config.ts'].map(changed))
  if (newest > Math.min(changed('dist/index.cjs'), changed('dist/cli.mjs'))) npm(root, 'run', 'build')
}

function compile(): string {
  try {
    return execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', consumer], { encoding: 'utf8' })
  } catch (error) {
    return (error as { stdout: string }).stdout
  }
}

import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { beforeAll, describe, expect, it } from 'vitest'
import { temporaryFolder } from './helpers/temporaryFolder'

const root = join(import.meta.dirname, '..')
const data = join(root, 'examples/data')
const sandbox = temporaryFolder()
const consumer = join(sandbox, 'project')
// the notebook's program; what types rule out comes below it
const notebook = readFileSync(join(import.meta.dirname, 'helpers/notebook.txt'), 'utf8')

interface Packed {
  readonly filename: string
  readonly size: number
  readonly files: readonly { readonly path: string }[]
}

let packed: Packed

// What a user does: the tarball, npm install, and the one line that spares the download of GPU libraries.
beforeAll(() => {
  buildIfStale()
  mkdirSync(consumer)
  packed = (JSON.parse(npm(root, 'pack', '--ignore-scripts', '--json', '--pack-destination', consumer)) as Packed[])[0]!
  writeFileSync(join(consumer, '.npmrc'), 'onnxruntime-node-install=skip\n')
  writeFileSync(join(consumer, 'package.json'), JSON.stringify({ name: 'consumer', private: true }))
  npm(consumer, 'install', `./${packed.filename}`, '--prefer-offline', '--no-audit', '--no-fund')
}, 600_000)

/**
 * Makes what the notebook reads, where it reads it: a tiny model with the quick start's tokenizer, and its sentences
 * two by two.
 */
const preparation = `
import { mkdirSync, writeFileSync } from 'node:fs'
import { AutoModelForSequenceClassification, AutoTokenizer, Trainer, loadDataset } from 'ts-trainer'

const [data] = process.argv.slice(2)
const tokenizer = await AutoTokenizer.fromPretrained(data + '/tokenizer')
const model = AutoModelForSequenceClassification.fromConfig({
  model_type: 'bert', vocab_size: 30522, hidden_size: 16, num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: 32,
  max_position_embeddings: 128,
})
await new Trainer({ model, processingClass: tokenizer, args: { outputDir: '../shared/hub/models/sentence-transformers/all-MiniLM-L6-v2' } }).saveModel()
const { train } = await loadDataset(data + '/sentiment')
const folder = '../shared/hub/datasets/nyu-mll/glue/mrpc/'
mkdirSync(folder, { recursive: true })
for (const [split, start, end] of [['train', 0, 80], ['validation', 80, 120], ['test', 120, 130]]) {
  const rows = Array.from({ length: end - start }, (_, i) => ({
    sentence1: train.get(2 * (start + i)).sentence, sentence2: train.get(2 * (start + i) + 1).sentence, label: train.get(2 * (start + i)).label, idx: i,
  }))
  writeFileSync(folder + split + '.jsonl', rows.map(row => JSON.stringify(row)).join('\\n'))
}
`

/**
 * The notebook's program as an ECMAScript module and as a CommonJS one: how it gets at the package is all that differs.
 */
function programs(): Record<string, string> {
  const [story] = notebook.split('\n// The types rule out')
  const program = ts.transpileModule(
    `${story}\nconsole.log(JSON.stringify({ steps, trainingLoss: output.trainingLoss, log: trainer.state.logHistory }))\n`,
    {
      compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
    },
  ).outputText
  const [, names, rest] = /^import (\{[^}]+\}) from 'ts-trainer';?([^]*)$/.exec(program)!
  return {
    'train.mjs': program,
    'train.cjs': `const ${names} = require('ts-trainer')\nasync function main() {${rest}}\nmain()\n`,
  }
}

describe('the packed package', () => {
  it('holds the build, the papers and the documents that it names, nothing else', () => {
    const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { files: string[] }
    const paths = packed.files.map(file => file.path)
    expect(paths.filter(path => !path.startsWith('dist/')).toSorted()).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      ...files.filter(file => file.startsWith('docs/')),
      'package.json',
    ])
    expect(paths).toEqual(
      expect.arrayContaining(
        ['index.mjs', 'index.cjs', 'index.d.mts', 'index.d.cts', 'cli.mjs'].map(file => `dist/${file}`),
      ),
    )
    expect(
      paths.filter(path => !/^dist\/[\w.-]+\.(mjs|cjs|d\.mts|d\.cts)$/.test(path) && path.startsWith('dist/')),
    ).toEqual([])
    expect(packed.size).toBeLessThan(2e6)
  })

  it('carries no path of the machine that built it', () => {
    for (const file of readdirSync(join(consumer, 'node_modules/ts-trainer/dist'))) {
      expect(readFileSync(join(consumer, 'node_modules/ts-trainer/dist', file), 'utf8').includes(root), file).toBe(
        false,
      )
    }
  })

  it('runs the notebook from an ECMAScript module and from a CommonJS one, to the same numbers', () => {
    writeFileSync(join(consumer, 'prepare.mjs'), preparation)
    node('prepare.mjs', data)
    const results = Object.entries(programs()).map(([file, program]) => {
      rmSync(join(consumer, 'out'), { recursive: true, force: true })
      writeFileSync(join(consumer, file), program)
      return JSON.parse(node(file).trimEnd().split('\n').at(-1)!) as {
        steps: number
        trainingLoss: number
        log: Record<string, number>[]
      }
    })
    const [first, second] = results.map(({ steps, trainingLoss, log }) => ({
      steps,
      trainingLoss,
      evaluations: log.flatMap(({ eval_loss: loss, eval_accuracy: accuracy, eval_f1: f1 }) =>
        loss === undefined ? [] : [{ loss, accuracy, f1 }],
      ),
    }))
    expect(first!.steps).toBe(9)
    expect(Math.abs(first!.trainingLoss - Math.log(2))).toBeLessThan(0.2)
    expect(first!.evaluations).toHaveLength(4)
    expect(first!.evaluations[3]).toEqual({
      loss: expect.any(Number),
      accuracy: Math.max(...first!.evaluations.map(({ accuracy }) => accuracy!)),
      f1: expect.any(Number),
    })
    expect(second).toEqual(first)
    expect(readdirSync(join(consumer, 'out/mrpc')).toSorted()).toEqual([
      'best',
      'checkpoint-3',
      'checkpoint-6',
      'checkpoint-9',
    ])
    expect(readdirSync(join(consumer, 'out/mrpc/best'))).toEqual(
      expect.arrayContaining(['config.json', 'model.safetensors', 'onnx', 'tokenizer.json']),
    )
  }, 300_000)

  it.each([
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ])(
    'has types that a strict TypeScript program reads (module %s, resolution %s)',
    (module, moduleResolution) => {
      writeFileSync(join(consumer, 'notebook.mts'), notebook)
      writeFileSync(
        join(consumer, 'notebook.cts'),
        "import trainer = require('ts-trainer')\nexport const args: trainer.TrainingArguments = new trainer.TrainingArguments({ outputDir: 'out' })\n",
      )
      writeFileSync(
        join(consumer, 'tsconfig.json'),
        JSON.stringify({
          compilerOptions: {
            module,
            moduleResolution,
            target: 'es2022',
            lib: ['es2023'],
            strict: true,
            noEmit: true,
            skipLibCheck: false,
            types: ['node'],
            typeRoots: [join(root, 'node_modules/@types')],
          },
          files: moduleResolution === 'nodenext' ? ['notebook.mts', 'notebook.cts'] : ['notebook.mts'],
        }),
      )
      expect(compile()).toBe('')
    },
    120_000,
  )

  it('brings a command, ts-trainer', () => {
    const { version } = JSON.parse(
      readFileSync(join(consumer, 'node_modules/onnxruntime-node/package.json'), 'utf8'),
    ) as { version: string }
    expect(npm(consumer, 'exec', '--', 'ts-trainer', 'doctor')).toContain(version)
  })
})

function node(...words: string[]): string {
  return execFileSync(process.execPath, words, { cwd: consumer, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

function npm(cwd: string, ...words: string[]): string {
  // npm's own environment is left out, or the outer project's settings would reach in here
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.toLowerCase().startsWith('npm_')))
  return execFileSync('npm', words, {
    cwd,
    env,
    encoding: 'utf8',
    shell: process.platform === 'win32',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
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
    return execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', consumer], {
      encoding: 'utf8',
    })
  } catch (error) {
    return (error as { stdout: string }).stdout
  }
}

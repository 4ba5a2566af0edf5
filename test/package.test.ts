import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const read = (file: string): string => readFileSync(join(root, file), 'utf8')

interface Manifest {
  readonly version: string
  readonly type: string
  readonly license: string
  readonly sideEffects: boolean
  readonly engines: Readonly<Record<string, string>>
  readonly exports: object
  readonly bin: object
  readonly files: readonly string[]
  readonly scripts: Readonly<Record<string, string>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly allowScripts: Readonly<Record<string, boolean>>
}

interface Lock {
  readonly packages: Readonly<
    Record<string, { version?: string; hasInstallScript?: boolean; dependencies?: Readonly<Record<string, string>> }>
  >
}

const manifest = JSON.parse(read('package.json')) as Manifest
const lock = JSON.parse(read('package-lock.json')) as Lock

describe('package.json', () => {
  it('exports one door, with types first for import and for require', () => {
    expect(manifest.exports).toEqual({
      '.': {
        import: { types: './dist/index.d.mts', default: './dist/index.mjs' },
        require: { types: './dist/index.d.cts', default: './dist/index.cjs' },
      },
      './package.json': './package.json',
    })
    // a resolver takes the first condition that it knows
    expect(
      Object.values(Object.values(manifest.exports)[0] as object).map(block => Object.keys(block as object)),
    ).toEqual([
      ['types', 'default'],
      ['types', 'default'],
    ])
    expect(manifest.bin).toEqual({ 'ts-trainer': './dist/cli.mjs' })
  })

  it('says what the package is', () => {
    expect(manifest).toMatchObject({
      type: 'module',
      license: 'Apache-2.0',
      sideEffects: false,
      engines: { node: '>=20.19' },
    })
    expect(read('LICENSE')).toMatch(/^\s+Apache License\s+Version 2\.0/)
    expect(read('CHANGELOG.md')).toContain(`## ${manifest.version}`)
  })

  it('has exactly these dependencies: another one is a decision, not an accident', () => {
    expect(Object.keys(manifest.dependencies)).toEqual([
      '@huggingface/hub',
      '@huggingface/tokenizers',
      'cli-progress',
      'flatbuffers',
      'hyparquet',
      'hyparquet-compressors',
      'hyparquet-writer',
      'koffi',
      'mathjs',
      'onnxruntime-node',
      'pbf',
      'yaml',
      'zod',
    ])
  })

  it('is built when it is packed, and runs nothing when it is installed', () => {
    const lifecycle =
      /^(pre|post)?(install|prepare|pack|publish|publishOnly|uninstall|version)$|^(prepack|prepare|prepublish|prepublishOnly|dependencies)$/
    expect(Object.keys(manifest.scripts).filter(name => lifecycle.test(name))).toEqual(['prepack'])
    expect(manifest.scripts['prepack']).toBe('npm run build')
    expect(manifest.scripts['package']).toContain('--ignore-scripts') // its tools pack, and must not build again
  })

  it('brings the documents that messages, the help of commands and descriptions of what it exports name', () => {
    const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter(name =>
      name.endsWith('.ts'),
    )
    const named = new Set(sources.flatMap(name => read(join('src', name)).match(/docs\/[\w-]+\.md/g) ?? []))
    for (const internal of ['docs/log.md']) named.delete(internal) // of comments that say what was measured
    expect([...named]).toContain('docs/operators.md')
    expect([...named]).toContain('docs/artifacts.md')
    for (const document of named) {
      expect(manifest.files).toContain(document)
      expect(existsSync(join(root, document)), document).toBe(true)
    }
  })

  it('brings no document that is not there', () => {
    expect(manifest.files.filter(file => file !== 'dist' && !existsSync(join(root, file)))).toEqual([])
  })

  it('has no script whose file is missing', () => {
    const files = Object.values(manifest.scripts).flatMap(script => script.match(/(?<=\btsx )\S+/g) ?? [])
    expect(files.length).toBeGreaterThan(3)
    expect(files.filter(file => !existsSync(join(root, file)))).toEqual([])
  })
})

describe('the installed tree', () => {
  const installed = (name: string): string[] =>
    Object.keys(lock.packages).filter(path => path.endsWith(`node_modules/${name}`))

  it('has one copy of ONNX Runtime, the one that transformers.js pins', () => {
    expect(installed('onnxruntime-node')).toEqual(['node_modules/onnxruntime-node'])
    const pinned = lock.packages['node_modules/@huggingface/transformers']!.dependencies!['onnxruntime-node']!
    expect(lock.packages['node_modules/onnxruntime-node']!.version).toBe(pinned)
    // a range, so that npm can share that copy in a consumer's project too
    expect(manifest.dependencies['onnxruntime-node']).toBe(`^${pinned}`)
  })

  it('downloads nothing after npm: every install script is denied, and ONNX Runtime is told to skip its own', () => {
    const withScript = Object.entries(lock.packages)
      .filter(([, entry]) => entry.hasInstallScript)
      .map(([path]) => path.replace(/^.*node_modules\//, ''))
    // fsevents is for macOS alone and brings its binary along
    expect(withScript.filter(name => manifest.allowScripts[name] !== false && name !== 'fsevents')).toEqual([])
    expect(read('.npmrc').trim().split('\n')).toEqual(['onnxruntime-node-install=skip'])
  })

  it('can be installed on every platform: the lock has an entry for each optional binary', () => {
    const optional = Object.values(lock.packages).flatMap(entry =>
      Object.keys((entry as { optionalDependencies?: object }).optionalDependencies ?? {}),
    )
    expect(optional.length).toBeGreaterThan(50)
    expect([...new Set(optional)].filter(name => installed(name).length === 0)).toEqual([])
  })
})

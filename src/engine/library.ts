import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { TrainerError } from '../errors'
import { installedLibraryFor } from './installedLibrary'

/** Where the library was found, and who named it. */
export interface Library {
  readonly path: string
  readonly source: 'option' | 'ONNXRUNTIME_LIBRARY' | 'install cuda' | 'onnxruntime-node'
}

// The file that onnxruntime-node's own binding opens, so that both share one copy: of the two on macOS, the one with
// the short name.
const fileNames: Record<string, string> = {
  linux: 'libonnxruntime.so.1',
  darwin: 'libonnxruntime.1.dylib',
  win32: 'onnxruntime.dll',
}
const libraryName = /(^|[\\/])(lib)?onnxruntime(\.so(\.[\d.]+)?|(\.[\d.]+)?\.dylib|\.dll)$/i

/**
 * The ONNX Runtime library to open: the one that the option names (a file, or a folder with it), else the environment
 * variable ONNXRUNTIME_LIBRARY, else for a device of NVIDIA's the one that `npx ts-trainer install cuda` left, else the
 * one that npm's onnxruntime-node ships.
 * @throws TrainerError 'engine' when there is none, naming all places that were searched.
 */
export function findLibrary(option?: string, device = 'cpu'): Library {
  const named = option ?? process.env['ONNXRUNTIME_LIBRARY']
  if (named === undefined || named === '') {
    const installed = installedLibraryFor(device, loadedLibraries)
    if (installed === undefined) return shippedLibrary()
    return { path: realpathSync(libraryIn(installed) ?? installed), source: 'install cuda' }
  }
  const source = option === undefined ? 'ONNXRUNTIME_LIBRARY' : 'option'
  const path = resolve(named)
  const file = isFolder(path) ? libraryIn(path) : existsSync(path) ? path : undefined
  if (file !== undefined) return { path: realpathSync(file), source }
  throw notFound(
    [path],
    source === 'option'
      ? "the engine's option `library` names it"
      : 'the environment variable ONNXRUNTIME_LIBRARY names it',
  )
}

/** The files of ONNX Runtime that are in the process already, whoever opened them. */
export function loadedLibraries(): string[] {
  const paths = process.platform === 'linux' ? mappedFiles() : reportedFiles()
  return [...new Set(paths.filter(path => libraryName.test(path) && !/[\\/]system32[\\/]/i.test(path)))]
}

/**
 * Refuses to open a second copy of the library in one process: each would have its own state, and the system's loader
 * mixes them up.
 * @throws TrainerError 'engine' that names both and says how to have one.
 */
export function refuseSecondCopy(path: string): void {
  const other = loadedLibraries().find(loaded => !isSameFile(loaded, path))
  if (other === undefined) return
  throw new TrainerError(
    'engine',
    `Two copies of ONNX Runtime would be in one process: ${describe(other)} is loaded already, ` +
      `and the engine would open ${describe(path)}.`,
    {
      fix:
        '`npm ls onnxruntime-node` shows who brings them; `npm dedupe`, or an "overrides" entry for onnxruntime-node ' +
        'in package.json, makes them one. Where one of them is your own build, set ONNXRUNTIME_LIBRARY to the copy ' +
        'that is loaded, or use the two in separate processes. The one of `npx ts-trainer install cuda` is taken where ' +
        "the process's first engine is on 'cuda'.",
    },
  )
}

/** The version in the package.json above a library of npm's, if it is one. */
export function packageVersion(path: string): string | undefined {
  for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder)) {
    const file = join(folder, 'package.json')
    if (!existsSync(file)) continue
    const { name, version } = JSON.parse(readFileSync(file, 'utf8')) as { name?: string; version?: string }
    return name === 'onnxruntime-node' ? version : undefined
  }
  return undefined
}

/**
 * The copy of onnxruntime-node that another package, such as transformers.js, finds from here; undefined where there is
 * none.
 */
export function libraryOf(packageName: string): string | undefined {
  try {
    const from = createRequire(createRequire(import.meta.url).resolve(packageName))
    return existingLibrary(packageFolder(from))
  } catch {
    return undefined
  }
}

/** True when both paths name one file. */
export function isSameFile(a: string, b: string): boolean {
  try {
    const first = statSync(a)
    const second = statSync(b)
    return first.dev === second.dev && first.ino === second.ino
  } catch {
    return resolve(a) === resolve(b)
  }
}

function shippedLibrary(): Library {
  let folder: string
  try {
    folder = packageFolder(createRequire(import.meta.url))
  } catch (cause) {
    throw new TrainerError(
      'engine',
      'The package onnxruntime-node, which ships the ONNX Runtime library, is not installed.',
      {
        fix: 'Run `npm install onnxruntime-node`, or set ONNXRUNTIME_LIBRARY to another library.',
        cause,
      },
    )
  }
  const path = existingLibrary(folder)
  if (path !== undefined) return { path, source: 'onnxruntime-node' }
  throw notFound(
    bindingFolders(folder),
    `onnxruntime-node ${packageVersion(join(folder, 'package.json')) ?? '(of unknown version)'} ships none`,
  )
}

function packageFolder(from: NodeJS.Require): string {
  return dirname(realpathSync(from.resolve('onnxruntime-node/package.json')))
}

function existingLibrary(folder: string): string | undefined {
  for (const candidate of bindingFolders(folder)) {
    const path = isFolder(candidate) ? libraryIn(candidate) : undefined
    if (path !== undefined) return realpathSync(path)
  }
  return undefined
}

/** The folders of the package's native files for this system, of the newest Node-API first. */
function bindingFolders(folder: string): string[] {
  const bin = join(folder, 'bin')
  const versions = isFolder(bin) ? readdirSync(bin).filter(name => name.startsWith('napi-v')) : ['napi-v6']
  versions.sort((a, b) => Number(b.slice(6)) - Number(a.slice(6)))
  return versions.map(version => join(bin, version, process.platform, process.arch))
}

function libraryIn(folder: string): string | undefined {
  const usual = join(folder, fileNames[process.platform] ?? 'libonnxruntime.so.1')
  if (existsSync(usual)) return usual
  const other = readdirSync(folder)
    .filter(name => libraryName.test(name))
    .sort()[0]
  return other === undefined ? undefined : join(folder, other)
}

function notFound(looked: readonly string[], why: string): TrainerError {
  return new TrainerError(
    'engine',
    `No ONNX Runtime library for ${process.platform} on ${process.arch}: ${why}. Looked at: ${looked.join(', ')}.`,
    {
      fix: `Set ONNXRUNTIME_LIBRARY to ${fileNames[process.platform] ?? 'the library'}, or reinstall onnxruntime-node.`,
    },
  )
}

function describe(path: string): string {
  const version = packageVersion(path)
  return version === undefined ? path : `${path} (onnxruntime-node ${version})`
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

function mappedFiles(): string[] {
  return readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .flatMap(line => {
      const at = line.indexOf('/')
      return at < 0 ? [] : [line.slice(at).replace(/ \(deleted\)$/, '')]
    })
}

/** Node's diagnostic report lists the libraries on every system, but takes longer than Linux's own list. */
function reportedFiles(): string[] {
  const report = process.report as (NodeJS.ProcessReport & { excludeNetwork?: boolean }) | undefined
  if (report === undefined) return []
  const excluded = report.excludeNetwork
  report.excludeNetwork = true // else it may look up the name of every open connection
  try {
    return (report.getReport() as unknown as { sharedObjects?: string[] }).sharedObjects ?? []
  } finally {
    report.excludeNetwork = excluded ?? false
  }
}

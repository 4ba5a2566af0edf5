import { freemem } from 'node:os'
import { dirname } from 'node:path'
import { TrainerError } from '../errors'
import type { Api } from './capi'
import { checkBfloat16 } from './bfloat16'
import { cudaFolder, installedBuilds, installedCuda } from './cuda'
import { cudaVersion, nvidiaDriver } from './driver'
import { createEngine, openLibrary } from './Engine'
import { bringing, missingFor, wantedCuda } from './missing'
import { findLibrary, isSameFile, libraryOf, loadedLibraries, packageVersion } from './library'
import { describeMachine, type Machine, type Processor } from './machine'
import { builtProviders, hardwareKinds } from './providers'

/** What `doctor` found; sizes in bytes. */
export interface DoctorReport {
  readonly node: string
  readonly platform: string
  readonly library: LibraryReport
  readonly providers: readonly ProviderReport[]
  readonly nvidia: NvidiaReport
  readonly processor: ProcessorReport
  readonly memory: Machine['memory'] & { readonly free: number; readonly resident: number }
}

export interface LibraryReport {
  /** undefined when no library was found. */
  readonly path: string | undefined
  readonly source: string | undefined
  readonly version: string | undefined
  /** How the library says that it was built. */
  readonly build: string | undefined
  /** Why it cannot be used; undefined when it can. */
  readonly problem: string | undefined
  /** Another copy that transformers.js would bring into the process, which works only where both are one file. */
  readonly otherCopy: string | undefined
}

export interface ProviderReport {
  readonly name: string
  readonly works: boolean
  /** Why it does not work; undefined when it does. */
  readonly reason: string | undefined
  /** The version of CUDA that it was built for. */
  readonly cuda: string | undefined
  /** The libraries that it needs and that are not there, as far as that is known. */
  readonly missing: readonly string[]
  /** What to do. */
  readonly fixes: readonly string[]
}

export interface NvidiaReport {
  /** The newest CUDA that the driver runs, such as '13.0'; undefined where there is no driver. */
  readonly driver: string | undefined
  readonly gpus: readonly { readonly name: string; readonly capability: number; readonly memory: number }[]
  /** What `npx ts-trainer install cuda` has left. */
  readonly installed: readonly { readonly cuda: string; readonly version: string; readonly folder: string }[]
}

export interface ProcessorReport extends Processor {
  /** The kinds of hardware that ONNX Runtime sees: cpu, gpu, npu. */
  readonly hardware: readonly string[]
  /** Whether training in bfloat16 works, and with which library; or why not. */
  readonly bfloat16: string
}

/** Looks at what training would run on; it starts every provider once, and throws nothing. */
export async function doctor(): Promise<DoctorReport> {
  const { report: library, api } = examineLibrary()
  const { node, platform, processor, memory } = describeMachine()
  return {
    node,
    platform,
    library,
    providers: api === undefined ? [] : await examineProviders(api),
    nvidia: examineNvidia(),
    processor: {
      ...processor,
      hardware: (api && hardwareKinds(api)) ?? [],
      bfloat16: await bfloat16Report(),
    },
    memory: { ...memory, free: freemem(), resident: process.memoryUsage().rss },
  }
}

function examineLibrary(): { report: LibraryReport; api: Api | undefined } {
  const nothing: LibraryReport = {
    path: undefined,
    source: undefined,
    version: undefined,
    build: undefined,
    problem: undefined,
    otherCopy: undefined,
  }
  let found: { path: string; source: string } | undefined
  try {
    found = findLibrary(undefined, 'auto')
    const api = openLibrary(undefined, 'auto')
    return {
      report: {
        ...nothing,
        ...found,
        version: api.version,
        build: api.GetBuildInfoString(),
        otherCopy: otherCopyThan(found.path),
      },
      api,
    }
  } catch (error) {
    return { report: { ...nothing, ...found, problem: messageOf(error) }, api: undefined }
  }
}

/** A sentence about a library that transformers.js would open beside ours, or that is in the process already. */
function otherCopyThan(path: string): string | undefined {
  const candidates = [...loadedLibraries(), libraryOf('@huggingface/transformers')].filter(other => other !== undefined)
  const other = candidates.find(candidate => !isSameFile(candidate, path))
  if (other === undefined) return undefined
  return (
    `Warning: transformers.js brings another copy, ${other} (${packageVersion(other) ?? 'version unknown'}), ` +
    'which cannot share a process with this one. `npm dedupe`, or an "overrides" entry for onnxruntime-node in ' +
    'package.json, makes them one.'
  )
}

async function examineProviders(api: Api): Promise<ProviderReport[]> {
  const reports: ProviderReport[] = []
  for (const name of builtProviders(api)) reports.push(await examineProvider(api, name))
  return reports
}

async function examineProvider(api: Api, name: string): Promise<ProviderReport> {
  const own = dirname(api.path)
  const folder = (name === 'cuda' && installedCuda(nvidiaDriver())) || own // what device 'cuda' would open
  const missing = missingFor(name, folder)
  const fixes = [...new Set(missing.flatMap(file => bringing(file) ?? []))]
  const known = { name, cuda: name === 'cuda' ? wantedCuda(folder) : undefined }
  try {
    if (missing.length > 0 && !isSameFile(folder, own)) throw missingError(name, missing)
    ;(await createEngine({ device: name, library: api.path, threads: 1 })).dispose()
    return { ...known, works: true, reason: undefined, missing: [], fixes: [] }
  } catch (error) {
    const { reason, fix } = faultOf(error)
    return { ...known, works: false, reason, missing, fixes: fixes.length > 0 ? fixes : fix }
  }
}

function missingError(name: string, missing: readonly string[]): TrainerError {
  return new TrainerError('engine', `Provider '${name}' does not start without ${missing.join(', ')}.`)
}

function examineNvidia(): NvidiaReport {
  const driver = nvidiaDriver()
  return {
    driver: driver && cudaVersion(driver.cuda),
    gpus: driver?.gpus ?? [],
    installed: installedBuilds().map(build => ({
      cuda: build.cuda,
      version: build.version,
      folder: cudaFolder(build),
    })),
  }
}

/** An error's problem, and what to do about it. */
function faultOf(error: unknown): { reason: string; fix: string[] } {
  if (!(error instanceof TrainerError)) return { reason: messageOf(error), fix: [] }
  return { reason: error.problem.replace(/\s+/g, ' ').trim(), fix: error.fix === undefined ? [] : [error.fix] }
}

function messageOf(error: unknown): string {
  return error instanceof TrainerError || error instanceof Error
    ? error.message.replace(/\s+/g, ' ').trim()
    : String(error)
}

/** Whether bfloat16 works on the processor, or why not. */
async function bfloat16Report(): Promise<string> {
  try {
    ;(await createEngine({ precision: 'bfloat16', threads: 1 })).dispose()
    return `works, with ${checkBfloat16()}`
  } catch (error) {
    return messageOf(error)
  }
}

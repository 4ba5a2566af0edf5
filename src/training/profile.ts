import type { Engine, Program, Transfers } from '../engine/Engine'
import { checkOptions } from '../options'
import type { ParameterStore } from '../parameters/ParameterStore'

/**
 * What a part of a step's time went to: indices of the batch, dropout masks, a program, adding gradients up, norm and
 * update.
 */
export type Phase = 'pack' | 'masks' | 'run' | 'collect' | 'update'

/** An interval of time, in milliseconds of `performance.now()`. */
export interface Span {
  readonly phase: Phase
  readonly start: number
  readonly end: number
}

/**
 * The file of ONNX Runtime's profiler for a program: Chrome's trace events, whose times count from `startedAt` (as in
 * {@link Span}).
 */
export interface ProgramProfile {
  readonly name: string
  readonly startedAt: number
  readonly file: string
}

/** Where a Trainer's time goes: it fills as the Trainer works, `programs` when the Trainer is disposed. */
export interface Profile {
  /**
   * The path that the files of ONNX Runtime's profiler begin with; undefined: phases only, which costs next to nothing.
   */
  readonly operators: string | undefined
  readonly spans: Span[]
  readonly programs: ProgramProfile[]
  /** The bytes that have gone to devices and come back so far; 0 on the processor. */
  readonly transfers: Transfers
}

/** The engines that each profile is of. */
const enginesOf = new WeakMap<Profile, Engine[]>()

/** A profile to give to a Trainer. @throws TrainerError (`argument`) for an option that it does not have. */
export function createProfile(options: { readonly operators?: string } = {}): Profile {
  checkOptions(options, ['operators'], 'createProfile()')
  const engines: Engine[] = []
  const profile: Profile = {
    operators: options.operators,
    spans: [],
    programs: [],
    get transfers() {
      const sum = (way: keyof Transfers): number => engines.reduce((bytes, { transfers }) => bytes + transfers[way], 0)
      return { up: sum('up'), down: sum('down') }
    },
  }
  enginesOf.set(profile, engines)
  return profile
}

/** Does the work, and takes note of how long it took, where there is a profile. */
export function timed<Result>(profile: Profile | undefined, phase: Phase, work: () => Result): Result {
  if (profile === undefined) return work()
  const start = performance.now()
  const note = (): void => {
    profile.spans.push({ phase, start, end: performance.now() })
  }
  const result = work()
  if (result instanceof Promise) return result.finally(note) as Result
  note()
  return result
}

/** The engine, with its programs' runs timed, and operator by operator where the profile asks for that. */
export function profiledEngine(engine: Engine, profile: Profile): Engine {
  const underway = new Set<() => void>()
  enginesOf.get(profile)?.push(engine)
  return {
    ...pick(engine, ['provider', 'reason', 'version', 'library', 'threads', 'resident', 'preparesShapes']),
    get transfers() {
      return engine.transfers
    },
    upload: tensor => engine.upload(tensor),
    download: value => engine.download(value),
    allocate: (dtype, dims) => engine.allocate(dtype, dims),
    async load(model, options = {}) {
      const name = options.name ?? 'program'
      const startedAt = performance.now()
      const prefix =
        profile.operators === undefined ? {} : { profile: `${profile.operators}-${name.replaceAll(/\W+/g, '-')}` }
      const program = await engine.load(model, { ...options, ...prefix })
      const finish = (): void => {
        const file = underway.delete(finish) ? program.endProfiling() : undefined
        if (file !== undefined) profile.programs.push({ name, startedAt, file })
      }
      underway.add(finish)
      return profiledProgram(program, profile, finish)
    },
    dispose() {
      for (const finish of underway) finish()
      engine.dispose()
    },
  }
}

/** The store, with its part of a step timed. */
export function profiledStore(store: ParameterStore, profile: Profile): ParameterStore {
  return {
    get inputs() {
      return store.inputs
    },
    targets: (feed, microBatch) => store.targets(feed, microBatch),
    add: (outputs, microBatch) => timed(profile, 'collect', () => store.add(outputs, microBatch)),
    reduce: group => store.reduce(group),
    sums: () => store.sums(),
    update: numbers => timed(profile, 'update', () => store.update(numbers)),
    discard: () => store.discard(),
    read: content => store.read(content),
    write: (content, tensors) => store.write(content, tensors),
    dispose: () => store.dispose(),
  }
}

function profiledProgram(program: Program, profile: Profile, finish: () => void): Program {
  return {
    inputs: program.inputs,
    outputs: program.outputs,
    run: (...given) => timed(profile, 'run', () => program.run(...given)),
    strays: program.strays,
    endProfiling: () => program.endProfiling(),
    dispose() {
      finish()
      program.dispose()
    },
  }
}

function pick<From, Key extends keyof From>(from: From, keys: readonly Key[]): Pick<From, Key> {
  return Object.fromEntries(keys.map(key => [key, from[key]])) as Pick<From, Key>
}

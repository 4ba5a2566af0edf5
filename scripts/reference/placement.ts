// An engine that takes note of every node that ran elsewhere than on its device.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createEngine, type Program, type ProgramOptions } from '../../src/engine/Engine'
import { type Engines, withWorkers } from '../../src/training/engines'
import type { Profile } from '../../src/training/profile'

/** Engines on a device whose programs are watched. */
export interface WatchedEngines {
  readonly engines: Engines
  /** The nodes that ran elsewhere or were copied for, by program; ends the watch. */
  strays(): readonly string[]
}

/** An event of ONNX Runtime's profiler. */
interface ProfileEvent {
  readonly name: string
  readonly args?: {
    readonly provider?: string
    readonly op_name?: string
    readonly output_type_shape?: readonly Readonly<Record<string, readonly number[]>>[]
  }
}

export async function watchedEngines(device: string): Promise<WatchedEngines> {
  const folder = mkdtempSync(join(tmpdir(), 'placement-'))
  const programs: Program[] = []
  const made = await createEngine({ device })
  const load = made.load.bind(made)
  const engine = Object.assign(made, {
    async load(model: Uint8Array, options: ProgramOptions = {}): Promise<Program> {
      const program = await load(model, { ...options, profile: join(folder, String(programs.length)) })
      programs.push(program)
      return program
    },
  })
  return {
    engines: withWorkers({ float32: engine, training: engine, evaluation: engine }),
    strays() {
      try {
        return programs.flatMap(program => straysIn(program.endProfiling()))
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
    },
  }
}

function straysIn(file: string | undefined): string[] {
  if (file === undefined) return []
  const ran = nodesIn(file)
  if (ran.length === 0) throw new Error(`ONNX Runtime's profile ${file} tells of no node.`)
  return ran.filter(isStray).map(nameOf)
}

/** The copies from the device in the middle of runs of a Trainer's programs, whose operators are profiled. */
export function roundTripsIn({ operators, programs }: Profile): string[] {
  const ran = programs.flatMap(({ name, file }) => nodesIn(file).map(event => ({ name, event })))
  if (ran.length === 0) throw new Error(`ONNX Runtime's profiles ${operators}* tell of no node.`)
  const copies = ran.filter(({ event }) => event.args?.op_name === 'MemcpyToHost')
  return copies.map(({ name, event }) => `${name}: ${nameOf(event)}`)
}

/** The nodes that have run, each as often as it has. */
function nodesIn(file: string): readonly ProfileEvent[] {
  const events = JSON.parse(readFileSync(file, 'utf8')) as readonly ProfileEvent[]
  return events.filter(({ name, args }) => name.endsWith('_kernel_time') && args?.provider !== undefined)
}

function nameOf({ name, args }: ProfileEvent): string {
  return `${args?.op_name} ${name.replace(/_kernel_time$/, '')}`
}

/** ONNX Runtime computes shapes on the processor, where they are; their numbers are int64, and are never copied. */
function isStray({ args }: ProfileEvent): boolean {
  if (args?.op_name?.startsWith('Memcpy') === true) return true
  if (args?.provider !== 'CPUExecutionProvider') return false
  const outputs = (args.output_type_shape ?? []).flatMap(output => Object.entries(output))
  return outputs.length === 0 || outputs.some(([type, shape]) => type !== 'int64' || shape.length > 1)
}

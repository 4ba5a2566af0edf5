import type { Engine, EngineValue } from '../engine/Engine'
import type { GradientOutput } from '../programs/TrainingProgram'
import { sizeOf, Tensor } from '../tensor'
import type { StoreOptions } from './ParameterStore'

/** A value that an update changes. */
export interface Cell {
  value: EngineValue
  /** Where the next update writes, if it may not write over the value: they change places. */
  spare?: EngineValue
}

/** What is summed up over the micro-batches of an update, as a value of an engine. */
export interface Summand {
  readonly shape: readonly number[]
  readonly output: GradientOutput
  sum: EngineValue
  /** Where further micro-batches write what comes whole, before it is added: kept when there first is one. */
  further?: EngineValue
}

/** A parameter that is trained, with everything that belongs to it; its sum is that of its gradients. */
export interface Entry extends Summand {
  readonly name: string
  readonly parameter: Cell
  readonly slots: Readonly<Record<string, Cell>>
}

/** Everything of one parameter. */
export async function createEntry(
  name: string,
  output: GradientOutput,
  { weights, optimizer }: Pick<StoreOptions, 'weights' | 'optimizer'>,
  engine: Engine,
): Promise<Entry> {
  const content = weights.get(name)!
  const { dims: shape } = content
  const slots: Record<string, Cell> = {}
  for (const [slot, { shape: dims, fill = 0 }] of Object.entries(optimizer.init({ name, shape })))
    slots[slot] = { value: await owned(engine, new Tensor('float32', new Float32Array(sizeOf(dims)).fill(fill), dims)) }
  const parameter = { value: await owned(engine, content) }
  return { name, parameter, slots, ...(await createSummand(output, shape, engine)) }
}

export async function createSummand(
  output: GradientOutput,
  shape: readonly number[],
  engine: Engine,
): Promise<Summand> {
  return { shape, output, sum: await engine.allocate('float32', shape) }
}

export function isRows({ output }: Summand): boolean {
  return output.kind === 'rows'
}

/** The parts that a gradient's rows come in; none where it comes whole. */
export function partsOf({ output }: Summand): Extract<GradientOutput, { kind: 'rows' }>['parts'] {
  return output.kind === 'rows' ? output.parts : []
}

/** A tensor's content as a value that may be written over. */
export async function owned(engine: Engine, tensor: Tensor): Promise<EngineValue> {
  const value = await engine.upload(tensor)
  return value === tensor ? new Tensor(tensor.dtype, tensor.data.slice(), tensor.dims) : value
}

/** Frees a device's buffer; a tensor is the caller's. */
export function free(value: EngineValue | undefined): void {
  if (value !== undefined && 'dispose' in value) value.dispose()
}

import type { Engine, EngineValue, EngineValues } from '../engine/Engine'
import { ProgramCache } from '../engine/ProgramCache'
import type { Feed } from '../feeds/FeedLayout'
import type { Graph } from '../onnx/types'
import type { ProcessGroup } from '../processes/ProcessGroup'
import { writableInPlace } from '../programs/inPlace'
import { additions, squares } from '../programs/sums'
import type { GradientOutput } from '../programs/TrainingProgram'
import { updateScalars, updatesGraph } from '../programs/update'
import { sizeOf, Tensor } from '../tensor'
import type { ParameterStore, StoreContent, StoreOptions, Targets, UpdateNumbers } from './ParameterStore'
import { slotName, slotTensor } from './slots'
import { shareFirst } from './statistics'

/** A value that an update changes. */
interface Cell {
  value: EngineValue
  /** Where the next update writes, if it may not write over the value: they change places. */
  spare?: EngineValue
}

/** A parameter that is trained, with everything that belongs to it, as values of an engine. */
interface Entry {
  readonly name: string
  readonly shape: readonly number[]
  readonly output: GradientOutput
  readonly parameter: Cell
  /** The sum of its gradients. */
  gradient: EngineValue
  /** Where further micro-batches write a gradient that comes whole, before it is added: kept when there first is one. */
  further?: EngineValue
  readonly slots: Readonly<Record<string, Cell>>
}

/** What an update changes, with what the program calls it. */
interface Changed {
  readonly input: string
  readonly output: string
  readonly cell: Cell
}

/**
 * Parameters, gradients and slots as values of an engine: on a device they stay there, and sums, norm and update are
 * programs, one for all parameters each. They write where the values lie, where that is safe; so no step takes new memory.
 */
export async function createDeviceStore(options: StoreOptions, engine: Engine): Promise<ParameterStore> {
  const entries: Entry[] = []
  for (const [name, output] of options.gradients) {
    const weights = options.weights.get(name)!
    const slots: Record<string, Cell> = {}
    for (const [slot, { shape, fill = 0 }] of Object.entries(options.optimizer.init({ name, shape: weights.dims }))) {
      const content = new Tensor('float32', new Float32Array(sizeOf(shape)).fill(fill), shape)
      slots[slot] = { value: await owned(engine, content) }
    }
    const parameter = { value: await owned(engine, weights) }
    const gradient = await engine.allocate('float32', weights.dims)
    entries.push({ name, shape: weights.dims, output, parameter, gradient, slots })
  }
  const frozen: Record<string, EngineValue> = {}
  for (const [name, weights] of options.weights)
    if (!options.gradients.has(name)) frozen[name] = await engine.upload(weights)
  return new DeviceStore(options, engine, entries, frozen)
}

class DeviceStore implements ParameterStore {
  readonly #options: StoreOptions
  readonly #engine: Engine
  readonly #entries: readonly Entry[]
  readonly #frozen: Record<string, EngineValue>
  readonly #programs: ProgramCache
  readonly #changed: readonly Changed[]
  /** The outputs of the update that may not be written over what the update reads. */
  #apart: ReadonlySet<string> | undefined

  constructor(options: StoreOptions, engine: Engine, entries: readonly Entry[], frozen: Record<string, EngineValue>) {
    this.#options = options
    this.#engine = engine
    this.#programs = new ProgramCache(engine)
    this.#entries = entries
    this.#frozen = frozen
    this.#changed = entries.flatMap(({ parameter, slots }, i) =>
      Object.entries({ parameter, ...slots }).map(([name, cell]) => ({
        input: `${name}.${i}`,
        output: `${name}_out.${i}`,
        cell,
      })),
    )
  }

  get inputs(): EngineValues {
    const trained = this.#entries.map(({ name, parameter }) => [name, parameter.value] as const)
    return { ...this.#frozen, ...Object.fromEntries(trained) }
  }

  targets(_feed: Feed, microBatch: number): Targets {
    const into: Record<string, EngineValue> = {}
    const keep = [...(this.#options.moved?.values() ?? [])]
    for (const { output, gradient, further } of this.#entries) {
      const place = microBatch === 0 ? gradient : further
      if (output.kind === 'rows') keep.push(...output.parts.flatMap(part => [part.index, part.values]))
      else if (place === undefined) keep.push(output.output)
      else into[output.output] = place
    }
    return { into, keep: [...keep, ...Object.keys(into)] }
  }

  async add(outputs: EngineValues, microBatch: number): Promise<void> {
    for (const [name, output] of this.#options.moved ?? []) this.#move(name, outputs[output]!)
    const isFirst = microBatch === 0
    const added = this.#entries.map((entry, i) => ({ entry, i })).filter(({ entry }) => !isFirst || isRows(entry))
    if (added.length === 0) return
    const program = await this.#programs.get(isFirst ? 'sums of rows' : 'sums', () =>
      additions(
        this.#entries.map(({ shape, output }) => ({ shape, parts: partsOf(output).length })),
        isFirst,
      ),
    )
    const given: Record<string, EngineValue> = {}
    const into: Record<string, EngineValue> = {}
    for (const { entry, i } of added) {
      if (!isFirst) given[`sum.${i}`] = entry.gradient
      into[`result.${i}`] = entry.gradient
      if (entry.output.kind === 'dense') given[`term.${i}`] = entry.further ??= outputs[entry.output.output]!
      for (const [j, { index, values }] of partsOf(entry.output).entries()) {
        given[`index.${i}.${j}`] = outputs[index]!
        given[`values.${i}.${j}`] = outputs[values]!
      }
    }
    await program.run(given, into, { keep: program.outputs })
    for (const { output } of this.#entries)
      for (const { index, values } of partsOf(output)) for (const name of [index, values]) free(outputs[name])
  }

  async reduce(group: ProcessGroup): Promise<void> {
    if (group.size === 1) return
    for (const entry of this.#entries) {
      const sum = (await this.#engine.download(entry.gradient)) as Tensor<'float32'>
      await group.allReduce([sum.data])
      free(entry.gradient)
      entry.gradient = await this.#engine.upload(sum)
    }
    for (const name of this.#options.moved?.keys() ?? []) {
      const statistic = (await this.#engine.download(this.#frozen[name]!)) as Tensor<'float32'>
      await shareFirst(group, [statistic.data])
      this.#move(name, await this.#engine.upload(statistic))
    }
  }

  /** A statistic becomes what a run has made of it. */
  #move(name: string, next: EngineValue): void {
    free(this.#frozen[name])
    this.#frozen[name] = next
  }

  async squaredNorm(): Promise<number> {
    if (this.#entries.length === 0) return 0
    const program = await this.#programs.get('norm', () => squares(this.#entries.map(({ shape }) => shape)))
    const inputs = Object.fromEntries(this.#entries.map(({ gradient }, i) => [`x${i}`, gradient]))
    const { sum } = await program.run(inputs)
    return Number((await this.#engine.download(sum!)).data[0])
  }

  async update({ step, rate, scale }: UpdateNumbers): Promise<void> {
    if (this.#entries.length === 0) return
    const { optimizer } = this.#options
    const program = await this.#programs.get('updates', () => this.#updates())
    const scalars = Object.entries(updateScalars(optimizer, step, rate, scale))
    const given: Record<string, EngineValue> = {
      ...Object.fromEntries(scalars.map(([name, value]) => [name, Tensor.from('float32', value)])),
      ...Object.fromEntries(this.#entries.map(({ gradient }, i) => [`gradient.${i}`, gradient])),
      ...Object.fromEntries(this.#changed.map(({ input, cell }) => [input, cell.value])),
    }
    const into: Record<string, EngineValue> = {}
    for (const { output, cell } of this.#changed) {
      if (!this.#apart!.has(output)) into[output] = cell.value
      else into[output] = cell.spare ??= await this.#engine.allocate('float32', cell.value.dims)
    }
    await program.run(given, into, { keep: program.outputs })
    for (const { output, cell } of this.#changed)
      if (this.#apart!.has(output)) [cell.value, cell.spare] = [cell.spare!, cell.value]
  }

  #updates(): Graph {
    const { optimizer, weightDecay } = this.#options
    const graph = updatesGraph(optimizer, this.#entries, weightDecay)
    const inPlace = writableInPlace(
      graph,
      this.#changed.map(({ output, input }) => [output, input] as const),
    )
    this.#apart = new Set(this.#changed.map(({ output }) => output).filter(output => !inPlace.has(output)))
    return graph
  }

  /** Nothing is to be cleared: the next update's first micro-batch writes over what there is. */
  async discard(): Promise<void> {}

  async *read(content: StoreContent): AsyncGenerator<readonly [string, Tensor]> {
    for (const [name, value] of content === 'parameters' ? Object.entries(this.inputs) : []) {
      yield [name, await this.#engine.download(value)]
    }
    for (const { name, gradient, slots } of content === 'parameters' ? [] : this.#entries) {
      if (content === 'gradients') yield [name, await this.#engine.download(gradient)]
      else for (const slot in slots) yield [slotName(name, slot), await this.#engine.download(slots[slot]!.value)]
    }
  }

  async write(content: 'parameters' | 'slots', tensors: ReadonlyMap<string, Tensor>): Promise<void> {
    if (content === 'slots') return this.#writeSlots(tensors)
    for (const [name, tensor] of tensors) {
      const cell = this.#entries.find(one => one.name === name)?.parameter
      const value = await owned(this.#engine, tensor)
      free(cell?.value ?? this.#frozen[name])
      if (cell === undefined) this.#frozen[name] = value
      else cell.value = value
    }
  }

  async #writeSlots(tensors: ReadonlyMap<string, Tensor>): Promise<void> {
    for (const { name, slots } of this.#entries) {
      for (const [slot, cell] of Object.entries(slots)) {
        const { dims } = cell.value
        const data = slotTensor(tensors, name, slot, sizeOf(dims))
        const value = await owned(this.#engine, new Tensor('float32', data, dims))
        free(cell.value)
        cell.value = value
      }
    }
  }

  async dispose(): Promise<void> {
    for (const { gradient, further } of this.#entries) for (const value of [gradient, further]) free(value)
    for (const { cell } of this.#changed) for (const value of [cell.value, cell.spare]) free(value)
    for (const value of Object.values(this.#frozen)) free(value)
    await this.#programs.dispose()
  }
}

function isRows({ output }: Entry): boolean {
  return output.kind === 'rows'
}

function partsOf(output: GradientOutput): Extract<GradientOutput, { kind: 'rows' }>['parts'] {
  return output.kind === 'rows' ? output.parts : []
}

/** A tensor's content as a value that may be written over. */
async function owned(engine: Engine, tensor: Tensor): Promise<EngineValue> {
  const value = await engine.upload(tensor)
  return value === tensor ? new Tensor(tensor.dtype, tensor.data.slice(), tensor.dims) : value
}

/** Frees a device's buffer; a tensor is the caller's. */
function free(value: EngineValue | undefined): void {
  if (value !== undefined && 'dispose' in value) value.dispose()
}

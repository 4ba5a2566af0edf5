import type { Engine, EngineValue, EngineValues } from '../engine/Engine'
import { ProgramCache } from '../engine/ProgramCache'
import type { Feed } from '../feeds/FeedLayout'
import type { UpdateSums } from '../optim/updateSums'
import type { ProcessGroup } from '../processes/ProcessGroup'
import { additions } from '../programs/sums'
import { sizeOf, Tensor } from '../tensor'
import { createEntry, createSummand, type Entry, free, isRows, owned, partsOf, type Summand } from './deviceEntry'
import { type DeviceSums, DeviceUpdate } from './deviceUpdate'
import type { ParameterStore, StoreContent, StoreOptions, Targets, UpdateNumbers } from './ParameterStore'
import { slotName, slotTensor } from './slots'
import { shareFirst } from './statistics'

/**
 * Parameters, gradients and slots as values of an engine: on a device they stay there, and sums, norm and update are
 * programs, one for all parameters each. They write where the values lie, where that is safe; so no step takes new memory
 * but for a few numbers, and none waits for the device: what an update came to is read when it is asked for.
 */
export async function createDeviceStore(options: StoreOptions, engine: Engine): Promise<ParameterStore> {
  const entries: Entry[] = []
  for (const [name, output] of options.gradients) entries.push(await createEntry(name, output, options, engine))
  const scalar = (output: string): Promise<Summand> => createSummand({ kind: 'dense', output }, [], engine)
  const sums = { entries, loss: await scalar(options.loss.sum), count: await scalar(options.loss.count) }
  const frozen: Record<string, EngineValue> = {}
  for (const [name, weights] of options.weights)
    if (!options.gradients.has(name)) frozen[name] = await engine.upload(weights)
  return new DeviceStore(options, engine, sums, frozen)
}

class DeviceStore implements ParameterStore {
  readonly #options: StoreOptions
  readonly #engine: Engine
  readonly #entries: readonly Entry[]
  /** The gradients, the loss and its count. */
  readonly #summands: readonly Summand[]
  readonly #frozen: Record<string, EngineValue>
  readonly #programs: ProgramCache
  readonly #update: DeviceUpdate

  constructor(options: StoreOptions, engine: Engine, sums: DeviceSums, frozen: Record<string, EngineValue>) {
    this.#options = options
    this.#engine = engine
    this.#entries = sums.entries
    this.#summands = [...sums.entries, sums.loss, sums.count]
    this.#frozen = frozen
    this.#programs = new ProgramCache(engine)
    this.#update = new DeviceUpdate(options, engine, this.#programs, sums)
  }

  get inputs(): EngineValues {
    const trained = this.#entries.map(({ name, parameter }) => [name, parameter.value] as const)
    return { ...this.#frozen, ...Object.fromEntries(trained) }
  }

  targets(_feed: Feed, microBatch: number): Targets {
    const into: Record<string, EngineValue> = {}
    const keep = [...(this.#options.moved?.values() ?? [])]
    for (const { output, sum, further } of this.#summands) {
      const place = microBatch === 0 ? sum : further
      if (output.kind === 'rows') keep.push(...output.parts.flatMap(part => [part.index, part.values]))
      else if (place === undefined) keep.push(output.output)
      else into[output.output] = place
    }
    return { into, keep: [...keep, ...Object.keys(into)] }
  }

  async add(outputs: EngineValues, microBatch: number): Promise<void> {
    for (const [name, output] of this.#options.moved ?? []) this.#move(name, outputs[output]!)
    const isFirst = microBatch === 0
    const added = this.#summands.map((summand, i) => ({ summand, i })).filter(one => !isFirst || isRows(one.summand))
    if (added.length === 0) return
    const program = await this.#programs.get(isFirst ? 'sums of rows' : 'sums', () =>
      additions(
        this.#summands.map(summand => ({ shape: summand.shape, parts: partsOf(summand).length })),
        isFirst,
      ),
    )
    const given: Record<string, EngineValue> = {}
    const into: Record<string, EngineValue> = {}
    for (const { summand, i } of added) {
      if (!isFirst) given[`sum.${i}`] = summand.sum
      into[`result.${i}`] = summand.sum
      if (summand.output.kind === 'dense') given[`term.${i}`] = summand.further ??= outputs[summand.output.output]!
      for (const [j, { index, values }] of partsOf(summand).entries()) {
        given[`index.${i}.${j}`] = outputs[index]!
        given[`values.${i}.${j}`] = outputs[values]!
      }
    }
    await program.run(given, into, { keep: program.outputs })
    for (const summand of this.#summands)
      for (const { index, values } of partsOf(summand)) for (const name of [index, values]) free(outputs[name])
  }

  /** All sums come down and go up again, each gradient as large as its parameter: a group has no other way to add them. */
  async reduce(group: ProcessGroup): Promise<void> {
    if (group.size === 1) return
    for (const summand of this.#summands) {
      const sum = (await this.#engine.download(summand.sum)) as Tensor<'float32'>
      await group.allReduce([sum.data])
      free(summand.sum)
      summand.sum = await this.#engine.upload(sum)
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

  sums(): Promise<UpdateSums> {
    return this.#update.sums()
  }

  update(numbers: UpdateNumbers): Promise<() => Promise<UpdateSums>> {
    return this.#update.run(numbers)
  }

  /** Nothing is to be cleared: the next update's first micro-batch writes over what there is. */
  async discard(): Promise<void> {}

  async *read(content: StoreContent): AsyncGenerator<readonly [string, Tensor]> {
    for (const [name, value] of content === 'parameters' ? Object.entries(this.inputs) : []) {
      yield [name, await this.#engine.download(value)]
    }
    for (const { name, sum, slots } of content === 'parameters' ? [] : this.#entries) {
      if (content === 'gradients') yield [name, await this.#engine.download(sum)]
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
    for (const { sum, further } of this.#summands) for (const value of [sum, further]) free(value)
    this.#update.dispose()
    for (const value of Object.values(this.#frozen)) free(value)
    await this.#programs.dispose()
  }
}

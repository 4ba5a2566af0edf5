import type { Engine, EngineValue, EngineValues, Program } from '../engine/Engine'
import { ProgramCache } from '../engine/ProgramCache'
import type { Feed } from '../feeds/FeedLayout'
import type { ProcessGroup } from '../processes/ProcessGroup'
import type { GradientOutput } from '../programs/TrainingProgram'
import { addition, rowAddition, squares, zeros } from '../programs/sums'
import { updateGraph, updateScalars } from '../programs/update'
import { sizeOf, Tensor } from '../tensor'
import type { ParameterStore, StoreContent, StoreOptions, Targets, UpdateNumbers } from './ParameterStore'
import { slotName, slotTensor } from './slots'
import { shareFirst } from './statistics'

/** A parameter that is trained, with everything that belongs to it, as values of an engine. */
interface Entry {
  readonly name: string
  readonly shape: readonly number[]
  readonly output: GradientOutput
  parameter: EngineValue
  /** The sum of its gradients. */
  gradient: EngineValue
  slots: Readonly<Record<string, EngineValue>>
}

/**
 * Parameters, gradients and slots as values of an engine: on a device they stay there, and sums, norm and update are
 * programs. What is computed replaces what was there, so that no program writes over what it still reads.
 */
export async function createDeviceStore(options: StoreOptions, engine: Engine): Promise<ParameterStore> {
  const entries: Entry[] = []
  for (const [name, output] of options.gradients) {
    const weights = options.weights.get(name)!
    const slots = Object.entries(options.optimizer.init({ name, shape: weights.dims }))
    const slotValues: Record<string, EngineValue> = {}
    for (const [slot, { shape, fill = 0 }] of slots) {
      slotValues[slot] = await engine.upload(new Tensor('float32', new Float32Array(sizeOf(shape)).fill(fill), shape))
    }
    entries.push({
      name,
      shape: weights.dims,
      output,
      parameter: await engine.upload(weights),
      gradient: await engine.upload(Tensor.zeros('float32', weights.dims)),
      slots: slotValues,
    })
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

  constructor(options: StoreOptions, engine: Engine, entries: readonly Entry[], frozen: Record<string, EngineValue>) {
    this.#options = options
    this.#engine = engine
    this.#programs = new ProgramCache(engine)
    this.#entries = entries
    this.#frozen = frozen
  }

  get inputs(): EngineValues {
    return { ...this.#frozen, ...Object.fromEntries(this.#entries.map(({ name, parameter }) => [name, parameter])) }
  }

  targets(_feed: Feed, microBatch: number): Targets {
    const into: Record<string, EngineValue> = {}
    const keep = [...(this.#options.moved?.values() ?? [])]
    for (const { output, gradient } of this.#entries) {
      if (output.kind === 'rows') keep.push(...output.parts.flatMap(part => [part.index, part.values]))
      else if (microBatch === 0) into[output.output] = gradient
      else keep.push(output.output)
    }
    return { into, keep }
  }

  async add(outputs: EngineValues, microBatch: number): Promise<void> {
    for (const [name, output] of this.#options.moved ?? []) this.#move(name, outputs[output]!)
    for (const entry of this.#entries) {
      const { output, shape } = entry
      if (output.kind === 'rows') {
        for (const { index, values } of output.parts) {
          const program = await this.#programs.get(`rows of [${shape.join()}]`, () => rowAddition(shape))
          const given = { sum: entry.gradient, index: outputs[index]!, values: outputs[values]! }
          entry.gradient = await this.#replaced(entry.gradient, program, given)
          free(given.index)
          free(given.values)
        }
      } else if (microBatch > 0) {
        const program = await this.#programs.get(`sum of [${shape.join()}]`, () => addition(shape))
        const term = outputs[output.output]!
        entry.gradient = await this.#replaced(entry.gradient, program, { sum: entry.gradient, term })
        free(term)
      }
    }
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
    const { optimizer, weightDecay } = this.#options
    const common = updateScalars(optimizer, step, rate, scale)
    for (const entry of this.#entries) {
      const program = await this.#programs.get(`update of [${entry.shape.join()}]`, () =>
        updateGraph(optimizer, entry, false),
      )
      const scalars = Object.entries({ ...common, weight_decay: weightDecay(entry.name) })
      const given: Record<string, EngineValue> = {
        ...Object.fromEntries(scalars.map(([name, value]) => [name, Tensor.from('float32', value)])),
        ...entry.slots,
        parameter: entry.parameter,
        gradient: entry.gradient,
      }
      const inputs = Object.fromEntries(program.inputs.map(({ name }) => [name, given[name]!]))
      const outputs = await program.run(inputs, {}, { keep: program.outputs })
      for (const value of [entry.parameter, ...Object.values(entry.slots)]) free(value)
      entry.parameter = outputs.parameter_out!
      entry.slots = Object.fromEntries(Object.keys(entry.slots).map(slot => [slot, outputs[`${slot}_out`]!]))
    }
    await this.discard()
  }

  /** Dense gradients are written over by the next micro-batch; rows are added up, and so begin with zeros. */
  async discard(): Promise<void> {
    for (const entry of this.#entries) {
      if (entry.output.kind !== 'rows') continue
      const program = await this.#programs.get(`zeros of [${entry.shape.join()}]`, () => zeros(entry.shape))
      entry.gradient = await this.#replaced(entry.gradient, program, {})
    }
  }

  async *read(content: StoreContent): AsyncGenerator<readonly [string, Tensor]> {
    for (const [name, value] of content === 'parameters' ? Object.entries(this.inputs) : []) {
      yield [name, await this.#engine.download(value)]
    }
    for (const { name, gradient, slots } of content === 'parameters' ? [] : this.#entries) {
      if (content === 'gradients') yield [name, await this.#engine.download(gradient)]
      else for (const slot in slots) yield [slotName(name, slot), await this.#engine.download(slots[slot]!)]
    }
  }

  async write(content: 'parameters' | 'slots', tensors: ReadonlyMap<string, Tensor>): Promise<void> {
    if (content === 'slots') return this.#writeSlots(tensors)
    for (const [name, tensor] of tensors) {
      const entry = this.#entries.find(one => one.name === name)
      const value = await this.#engine.upload(tensor)
      free(entry?.parameter ?? this.#frozen[name])
      if (entry === undefined) this.#frozen[name] = value
      else entry.parameter = value
    }
  }

  async #writeSlots(tensors: ReadonlyMap<string, Tensor>): Promise<void> {
    for (const entry of this.#entries) {
      const values: Record<string, EngineValue> = {}
      for (const [slot, { dims }] of Object.entries(entry.slots)) {
        const data = slotTensor(tensors, entry.name, slot, sizeOf(dims))
        values[slot] = await this.#engine.upload(new Tensor('float32', data, dims))
      }
      for (const value of Object.values(entry.slots)) free(value)
      entry.slots = values
    }
  }

  async dispose(): Promise<void> {
    for (const { parameter, gradient, slots } of this.#entries)
      for (const value of [parameter, gradient, ...Object.values(slots)]) free(value)
    for (const value of Object.values(this.#frozen)) free(value)
    await this.#programs.dispose()
  }

  /** What a program makes of a value, which is freed. */
  async #replaced(value: EngineValue, program: Program, inputs: EngineValues): Promise<EngineValue> {
    const { result } = await program.run(inputs, {}, { keep: ['result'] })
    free(value)
    return result!
  }
}

/** Frees a device's buffer; a tensor is the caller's. */
function free(value: EngineValue | undefined): void {
  if (value !== undefined && 'dispose' in value) value.dispose()
}

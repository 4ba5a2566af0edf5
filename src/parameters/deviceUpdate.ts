import type { Engine, EngineValue } from '../engine/Engine'
import type { ProgramCache } from '../engine/ProgramCache'
import type { Graph } from '../onnx/types'
import type { UpdateSums } from '../optim/updateSums'
import { writableInPlace } from '../programs/inPlace'
import { judging } from '../programs/judging'
import { groupScalars, updatesGraph } from '../programs/update'
import { Tensor } from '../tensor'
import { type Cell, type Entry, free, type Summand } from './deviceEntry'
import type { StoreOptions, UpdateNumbers } from './ParameterStore'

/** What an update changes, with what the program calls it. */
interface Changed {
  readonly input: string
  readonly output: string
  readonly cell: Cell
}

/** The sums of an update. */
export interface DeviceSums {
  readonly entries: readonly Entry[]
  readonly loss: Summand
  readonly count: Summand
}

/** What a device has found of an update. */
interface Judged {
  readonly gradientScale: EngineValue
  readonly finite: EngineValue
  readonly sums: EngineValue
}

/** The update of all parameters on a device: one program that judges it, and one that makes it, without a look from here. */
export class DeviceUpdate {
  readonly #options: StoreOptions
  readonly #engine: Engine
  readonly #programs: ProgramCache
  readonly #sums: DeviceSums
  readonly #changed: readonly Changed[]
  /** The outputs of each update program that may not be written over what it reads, by the program's name. */
  readonly #apart = new Map<string, ReadonlySet<string>>()

  constructor(options: StoreOptions, engine: Engine, programs: ProgramCache, sums: DeviceSums) {
    this.#options = options
    this.#engine = engine
    this.#programs = programs
    this.#sums = sums
    this.#changed = sums.entries.flatMap(({ parameter, slots }, i) =>
      Object.entries({ parameter, ...slots }).map(([name, cell]) => ({
        input: `${name}.${i}`,
        output: `${name}_out.${i}`,
        cell,
      })),
    )
  }

  /** Makes the update, unless it must not be made; what it came to can be read when the device is done with it. */
  async run(numbers: UpdateNumbers): Promise<() => Promise<UpdateSums>> {
    const judged = await this.#judge(numbers)
    await this.#make(numbers, judged)
    for (const value of [judged.gradientScale, judged.finite]) free(value)
    return () => this.#read(judged.sums)
  }

  /** The sums as they are. */
  async sums(): Promise<UpdateSums> {
    const { gradientScale, finite, sums } = await this.#judge({})
    for (const value of [gradientScale, finite]) free(value)
    return this.#read(sums)
  }

  dispose(): void {
    for (const { cell } of this.#changed) for (const value of [cell.value, cell.spare]) free(value)
  }

  async #judge({ lossScale = 1, maxNorm = 0 }: Pick<UpdateNumbers, 'lossScale' | 'maxNorm'>): Promise<Judged> {
    const { entries, loss, count } = this.#sums
    const program = await this.#programs.get('judging', () => judging(entries.map(({ shape }) => shape)))
    const given: Record<string, EngineValue> = {
      ...Object.fromEntries(entries.map(({ sum }, i) => [`x${i}`, sum])),
      loss: loss.sum,
      count: count.sum,
      loss_scale: Tensor.from('float32', lossScale),
      max_norm: Tensor.from('float32', maxNorm),
    }
    const outputs = await program.run(given, {}, { keep: program.outputs })
    return { gradientScale: outputs.gradient_scale!, finite: outputs.finite!, sums: outputs.sums! }
  }

  async #read(value: EngineValue): Promise<UpdateSums> {
    const { data } = await this.#engine.download(value)
    free(value)
    const [loss = NaN, count = NaN, squaredNorm = NaN] = data as Float32Array
    return { loss, count, squaredNorm }
  }

  async #make({ step, rate, onlyFinite = true }: UpdateNumbers, { gradientScale, finite }: Judged): Promise<void> {
    const { entries } = this.#sums
    if (entries.length === 0) return
    const name = onlyFinite ? 'updates' : 'updates of any numbers'
    const program = await this.#programs.get(name, () => this.#write(name, onlyFinite))
    const { optimizer, rateFactor = () => 1 } = this.#options
    const factors = entries.map(entry => rateFactor(entry.name))
    const scalars = Object.entries(groupScalars(optimizer, step, rate, factors))
    const given: Record<string, EngineValue> = {
      gradient_scale: gradientScale,
      ...(onlyFinite && { finite }),
      ...Object.fromEntries(scalars.map(([scalar, value]) => [scalar, Tensor.from('float32', value)])),
      ...Object.fromEntries(entries.map(({ sum }, i) => [`gradient.${i}`, sum])),
      ...Object.fromEntries(this.#changed.map(({ input, cell }) => [input, cell.value])),
    }
    const apart = this.#apart.get(name)!
    const into: Record<string, EngineValue> = {}
    for (const { output, cell } of this.#changed) {
      if (!apart.has(output)) into[output] = cell.value
      else into[output] = cell.spare ??= await this.#engine.allocate('float32', cell.value.dims)
    }
    await program.run(given, into, { keep: program.outputs })
    for (const { output, cell } of this.#changed)
      if (apart.has(output)) [cell.value, cell.spare] = [cell.spare!, cell.value]
  }

  #write(name: string, onlyFinite: boolean): Graph {
    const { optimizer } = this.#options
    const parameters = this.#sums.entries
    const graph = updatesGraph(optimizer, parameters, this.#options, onlyFinite)
    const pairs = this.#changed.map(({ output, input }) => [output, input] as const)
    const inPlace = writableInPlace(graph, pairs)
    this.#apart.set(name, new Set(this.#changed.map(({ output }) => output).filter(output => !inPlace.has(output))))
    return graph
  }
}

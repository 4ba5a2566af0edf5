// inputs of a graph that are no columns of a batch: whether it is training, and how much is dropped
import { logOnce } from '../logging'
import { graphsOf, operatorName, type RawGraph, type RawModel, type RawValue } from '../onnx/RawModel'
import { Tensor } from '../tensor'
import { needed } from './reading'

/** The inputs of a graph, parted into what a batch has and what it has not. */
export interface Switches {
  /** What each input that no batch has is, in training and outside of it. */
  readonly switches: ReadonlyMap<string, (isTraining: boolean) => Tensor>
  /** The others, without those that nothing reads. */
  readonly columns: readonly RawValue[]
}

/** Where a Dropout reads what: its second input is the ratio, its third whether it is training. */
const ratioAt = 1
const modeAt = 2

/** The inputs of a model's graph, of which those that only a Dropout reads as its settings are no columns. */
export function switchesOf(model: RawModel): Switches {
  const { graph } = model
  const switches = new Map<string, (isTraining: boolean) => Tensor>()
  const outputs = graph.outputs.map(({ name }) => name)
  const readers = readersOf({ ...graph, nodes: needed(graph.nodes, outputs) })
  for (const { name, type } of graph.inputs) {
    const places = readers.get(name) ?? []
    if (places.length === 0) continue
    if (places.every(place => place === `Dropout.${modeAt}`))
      switches.set(name, isTraining => new Tensor('bool', Uint8Array.of(Number(isTraining)), []))
    else if (places.every(place => place === `Dropout.${ratioAt}`)) {
      logOnce('warning', `The graph takes "${name}", the share that a Dropout drops, as an input: it is taken as 0.5.`)
      switches.set(name, () => new Tensor(type?.dtype === 'float64' ? 'float64' : 'float32', [0.5] as never, []))
    }
  }
  const isRead = (name: string): boolean => readers.has(name) || outputs.includes(name)
  return { switches, columns: graph.inputs.filter(({ name }) => isRead(name) && !switches.has(name)) }
}

/** For each name, the operators that read it and as which input, in branches too. */
function readersOf(graph: RawGraph, found = new Map<string, string[]>()): ReadonlyMap<string, readonly string[]> {
  const add = (name: string, place: string): void => {
    const places = found.get(name)
    if (places === undefined) found.set(name, [place])
    else places.push(place)
  }
  for (const node of graph.nodes) {
    node.inputs.forEach((name, at) => add(name, `${operatorName(node)}.${at}`))
    for (const inner of graphsOf(node)) readersOf(inner, found)
  }
  for (const { name } of graph.outputs) add(name, 'output')
  return found
}

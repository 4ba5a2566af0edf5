import type { FusedEngine, Segment } from '../../../src/engine/fused/FusedEngine'
import { GraphBuilder } from '../../../src/onnx/builder'
import type { Graph } from '../../../src/onnx/types'
import { MersenneTwister } from '../../../src/random'

/** Adam with decoupled weight decay, without bias correction. */
export function adam(): Graph {
  const b = new GraphBuilder('adam')
  const [gradient, parameter, m, v] = ['gradient', 'parameter', 'm', 'v'].map(name => b.input(name, 'float32', ['n']))
  const [rate, decay, scale] = ['rate', 'decay', 'scale'].map(name => b.input(name, 'float32', []))
  const g = b.mul(gradient!, scale!)
  const first = b.add(b.mul(m!, 0.9), b.mul(g, 0.1))
  const second = b.add(b.mul(v!, 0.999), b.mul(b.mul(g, g), 0.001))
  const decayed = b.mul(parameter!, b.sub(1, b.mul(rate!, decay!)))
  return b.build({
    parameter_out: b.sub(decayed, b.mul(rate!, b.div(first, b.add(b.sqrt(second), 1e-8)))),
    m_out: first,
    v_out: second,
  })
}

/** What an update by {@link adam} works on. */
export interface Arrays {
  readonly gradient: Float32Array
  readonly parameter: Float32Array
  readonly m: Float32Array
  readonly v: Float32Array
}

/** Zeros, in one memory of the engine's arena. */
export function allocate(on: FusedEngine, count: number): Arrays {
  const [gradient, parameter, m, v] = on.arena.allocateGroup([count, count, count, count]) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ]
  return { gradient, parameter, m, v }
}

/** Numbers between -0.5 and 0.5. */
export function fill(array: Float32Array, seed: number): void {
  const generator = new MersenneTwister(seed)
  for (let i = 0; i < array.length; i++) array[i] = generator.uniform() - 0.5
}

/** The first index at which two arrays differ, or -1. */
export function difference(a: Float32Array, b: Float32Array): number {
  return a.findIndex((x, i) => !Object.is(x, b[i]))
}

/** The segment of Adam's update over these arrays. */
export function segmentOf(arrays: Arrays, rest: Partial<Segment> = {}): Segment {
  return {
    inputs: { ...arrays },
    outputs: { parameter_out: arrays.parameter, m_out: arrays.m, v_out: arrays.v },
    ...rest,
  }
}

import type { Engine, Program } from '../../../src/engine/types'
import { Tensor } from '../../../src/tensor'
import { handmadeModel } from '../../helpers/handmadeModel'

/** An implementation of Engine, opened. */
export interface Subject {
  readonly engine: Engine
  /** Opens another engine like it. */
  open(): Promise<Engine>
}

/** What every implementation has to do, by what a test calls it; it throws where one does not. */
export type EngineCases = Readonly<Record<string, (subject: Subject) => Promise<void>>>

/** c = a b, with b of shape [3, 2]. */
export const product = handmadeModel(
  [{ op: 'MatMul', inputs: ['a', 'b'], outputs: ['c'] }],
  [
    { name: 'a', dims: ['rows', 3] },
    { name: 'b', dims: [3, 2] },
  ],
  [{ name: 'c' }],
)

/** updated = weight - step, step = gradient · rate; no output's shape is stated. */
export const update = handmadeModel(
  [
    { op: 'Mul', inputs: ['gradient', 'rate'], outputs: ['step'] },
    { op: 'Sub', inputs: ['weight', 'step'], outputs: ['updated'] },
  ],
  [
    { name: 'weight', dims: ['n'] },
    { name: 'gradient', dims: ['n'] },
    { name: 'rate', dims: [] },
  ],
  [{ name: 'updated' }, { name: 'step' }],
)

/** Twelve products in a row, each with the matrix w. */
const chain = handmadeModel(
  Array.from({ length: 12 }, (_, i) => ({
    op: 'MatMul',
    inputs: [i === 0 ? 'x' : `x${i}`, 'w'],
    outputs: [i === 11 ? 'y' : `x${i + 1}`],
  })),
  [
    { name: 'x', dims: ['n', 512] },
    { name: 'w', dims: [512, 512] },
  ],
  [{ name: 'y' }],
)

/** A run that takes at least 100 milliseconds: it doubles the numbers of x twelve times. */
export interface LongRun {
  readonly program: Program
  readonly inputs: Readonly<Record<'x' | 'w', Tensor<'float32'>>>
}

/** Makes a run long enough for an engine, whose speed may be that of a graphics card or of one in software. */
export async function longRun(engine: Engine): Promise<LongRun> {
  const program = await engine.load(chain, { name: 'chain' })
  const w = Tensor.zeros('float32', [512, 512])
  for (let i = 0; i < 512; i++) w.data[i * 513] = 2
  for (let rows = 4; ; rows *= 4) {
    const inputs = { x: new Tensor('float32', new Float32Array(rows * 512).fill(0.5), [rows, 512]), w }
    await program.run(inputs) // what is done for new shapes is done
    const start = performance.now()
    await program.run(inputs)
    if (performance.now() - start > 100) return { program, inputs }
  }
}

export const rate = Tensor.from('float32', 0.125)

export function float(nested: Parameters<typeof Tensor.from>[1]): Tensor<'float32'> {
  return Tensor.from('float32', nested)
}

/** The product's second factor. */
export function factor(): Tensor<'float32'> {
  return float([
    [1, 2],
    [3, 4],
    [5, 6],
  ])
}

/** [size] equal numbers. */
export function fill(value: number, size = 1000): Tensor<'float32'> {
  return new Tensor('float32', new Float32Array(size).fill(value), [size])
}

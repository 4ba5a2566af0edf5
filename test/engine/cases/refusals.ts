import { expect } from 'vitest'
import type { Engine, Program } from '../../../src/engine/types'
import { Tensor } from '../../../src/tensor'
import { pretendedDevice } from '../../helpers/pretendedDevice'
import { handmadeModel } from '../../helpers/handmadeModel'
import { type EngineCases, factor, fill, float, product, rate, update } from './subject'

type Refusal = readonly [what: string, act: (program: Program, engine: Engine) => Promise<unknown>, message: RegExp]

const a = float([[1, 2, 3]])
const b = factor()

/** Ways to go wrong with a program called 'product', and what is said. */
const refusals: readonly Refusal[] = [
  [
    'a missing input',
    program => program.run({ a, B: b }),
    /'product' needs input 'b', which is missing\. Did you mean 'B'\?/,
  ],
  ['an unknown input', program => program.run({ a, b, c: b }), /has no input 'c'/],
  [
    'a wrong type',
    program => program.run({ a: Tensor.from('int64', [[1, 2, 3]]), b }),
    /input 'a' must be float32, but int64 of shape \[1, 3\]/,
  ],
  [
    'a wrong shape',
    program => program.run({ a: float([[1, 2]]), b }),
    /Program 'product' failed: .*invalid dimensions for input: a/s,
  ],
  [
    'a wrong shape in a blocking run',
    program => program.run({ a: float([[1, 2]]), b }, {}, { blocking: true }),
    /Program 'product' failed: .*invalid dimensions for input: a/s,
  ],
  ['an unknown output', program => program.run({ a, b }, { d: a }), /has no output 'd'/],
  ['an unknown output to keep', program => program.run({ a, b }, {}, { keep: ['d'] }), /has no output 'd'/],
  [
    'a target of the wrong shape',
    program => program.run({ a, b }, { c: Tensor.zeros('float32', [5, 5]) }),
    /Program 'product' failed/,
  ],
  [
    'bytes that are not a model',
    (_, engine) => engine.load(Uint8Array.of(1, 2, 3), { name: 'noise' }),
    /'noise' does not load: .*not an ONNX model/s,
  ],
  [
    'an operator that there is not',
    (_, engine) =>
      engine.load(
        handmadeModel(
          [{ op: 'Nope', inputs: ['x'], outputs: ['y'], name: 'layer7' }],
          [{ name: 'x' }],
          [{ name: 'y' }],
        ),
      ),
    /layer7|Nope/,
  ],
  [
    'shapes that cannot be',
    (_, engine) =>
      engine.load(
        handmadeModel(
          [{ op: 'MatMul', inputs: ['x', 'w'], outputs: ['y'], name: 'layer7/query' }],
          [
            { name: 'x', dims: [2, 3] },
            { name: 'w', dims: [4, 5] },
          ],
          [{ name: 'y' }],
        ),
      ),
    /layer7\/query/,
  ],
]

/** What is wrong is said. */
export const refusalCases: EngineCases = {
  ...(Object.fromEntries(
    refusals.map(refusal => [`refuses ${refusal[0]}`, ({ engine }) => refuse(engine, refusal)]),
  ) satisfies EngineCases),

  async 'says when memory runs out'({ engine }) {
    const vast = await engine.load(
      handmadeModel(
        [{ op: 'ConstantOfShape', inputs: ['shape'], outputs: ['y'] }],
        [{ name: 'shape', type: 7, dims: [2] }],
        [{ name: 'y' }],
      ),
    )
    const shape = Tensor.from('int64', [2 ** 22, 2 ** 22]) // 64 TiB
    await expect(vast.run({ shape })).rejects.toThrow(/Memory ran out.*smaller batch/s)
    vast.dispose()
  },

  async 'refuses a tensor whose memory has gone to another thread'({ engine }) {
    const program = await engine.load(product)
    const gone = float([[1, 2, 3]])
    await program.run({ a: gone, b })
    structuredClone(gone.data, { transfer: [gone.data.buffer as ArrayBuffer] })
    await expect(program.run({ a: gone, b })).rejects.toThrow(/has lost its memory/)
    program.dispose()
  },

  async "refuses another engine's buffer"({ engine }) {
    const other = pretendedDevice()
    const foreign = await other.upload(fill(1))
    const message = engine.resident ? /buffer of another engine/ : /was given to an engine on 'cpu'/
    const program = await engine.load(update, { name: 'update' })
    await expect(program.run({ weight: foreign, gradient: fill(4), rate })).rejects.toThrow(message)
    await expect(engine.download(foreign)).rejects.toThrow(message)
    program.dispose()
    other.dispose()
  },
}

async function refuse(engine: Engine, [, act, message]: Refusal): Promise<void> {
  const program = await engine.load(product, { name: 'product' })
  const failure = act(program, engine)
  await expect(failure).rejects.toThrow(message)
  await expect(failure).rejects.toMatchObject({ name: 'TrainerError' })
  program.dispose()
}

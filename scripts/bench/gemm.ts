// the machine's bare rate: ONNX Runtime's best over [tokens, width] × [width, 4 width] and 1024³, in a process of its
// own
import { readFileSync, writeFileSync } from 'node:fs'
import { createEngine, encode, type Engine, GraphBuilder, Tensor } from '../../src/index'
import type { ProductJob, ProductResult } from './job'

const job = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as ProductJob
const sizes = [
  [job.tokens, job.width, job.innerWidth],
  [1024, 1024, 1024],
] as const
const engine = await createEngine({ precision: job.precision })
const rates: Record<string, number> = {}
for (const [rows, inner, width] of sizes) {
  for (const constant of [false, true])
    rates[`[${rows}, ${inner}] × [${inner}, ${width}]${constant ? ', the second packed beforehand' : ''}`] =
      await rateOf(engine, rows, inner, width, constant)
}
engine.dispose()
writeFileSync(job.result, JSON.stringify({ rates } satisfies ProductResult))

/** Operations a second of the fastest of the products that half a second allows. */
async function rateOf(engine: Engine, rows: number, inner: number, width: number, constant: boolean): Promise<number> {
  const graph = new GraphBuilder('product')
  const left = filled([rows, inner])
  const right = filled([inner, width])
  const second = constant ? graph.initializer('right', right) : graph.input('right', 'float32', right.dims)
  const product = graph.matMul(graph.input('left', 'float32', left.dims), second)
  const program = await engine.load(encode(graph.build({ product })).model, { name: 'product' })
  const inputs = constant ? { left } : { left, right }
  const into = { product: Tensor.zeros('float32', [rows, width]) }
  let best = Infinity
  let runs = 0
  for (const until = performance.now() + 500; performance.now() < until || runs < 5; runs++) {
    const start = performance.now()
    await program.run(inputs, into)
    best = Math.min(best, performance.now() - start)
  }
  program.dispose()
  return (2 * rows * inner * width) / (best / 1000)
}

function filled(dims: readonly [number, number]): Tensor<'float32'> {
  return new Tensor(
    'float32',
    Float32Array.from({ length: dims[0] * dims[1] }, (_, i) => Math.sin(i)),
    dims,
  )
}

// which devices compute in 16 bits, and how that is found out
import { TrainerError } from '../errors'
import { GraphBuilder } from '../onnx/builder'
import { encode } from '../onnx/encode'
import { type ReducedType, Tensor } from '../tensor'
import { checkBfloat16 } from './bfloat16'
import { isCuda } from './deviceName'
import type { Engine } from './types'

/**
 * @throws TrainerError ('engine') where bfloat16 is not computed on a device, or not faster than float32, as far as that
 * is known before an engine is made.
 */
export function checkBfloat16On(device: string, pluginLibrary?: string): void {
  if (isCuda(device)) return
  if (device === 'cpu') return void checkBfloat16({ device, pluginLibrary })
  if (device === 'auto') {
    throw new TrainerError('engine', "bfloat16 needs to know its device, but device is 'auto'.", {
      fix: "Name it: 'cuda', or 'cpu' where the processor has AMX.",
    })
  }
  const why = device === 'webgpu' ? 'WebGPU has no such type' : "only 'cuda' and 'cpu' have it"
  throw new TrainerError('engine', `bfloat16 on '${device}' cannot be had: ${why}.`, {
    fix: "Train in float32 there, in float16 (fp16), or in bfloat16 on device 'cuda'.",
  })
}

/** What to do where a provider does not compute in a type. */
const fixes: Readonly<Record<ReducedType, Readonly<Record<string, string>>>> = {
  float16: {
    webgpu: 'The graphics driver has to offer the feature shader-f16. Leave fp16 and fp16FullEval out.',
  },
  bfloat16: {
    cuda: 'It takes a GPU of compute capability 8.0 (Ampere) or later. Use fp16 and fp16FullEval in place of bf16 and bf16FullEval.',
  },
}

/**
 * Finds out whether an engine computes in a type, by a program of one addition. On the processor float16 works through
 * casts to float32.
 * @throws TrainerError ('engine') where it does not, naming the device and the fix.
 */
export async function checkComputes(engine: Engine, type: ReducedType): Promise<void> {
  const graph = new GraphBuilder(`sum in ${type}`)
  const x = graph.cast(graph.input('x', 'float32', [1]), type)
  const model = encode(graph.build({ y: graph.cast(graph.add(x, x), 'float32') })).model
  const sessionConfig = engine.provider === 'cpu' ? {} : { 'session.disable_cpu_ep_fallback': '1' }
  try {
    const program = await engine.load(model, { name: `sum in ${type}`, optimization: 'disabled', sessionConfig })
    try {
      const { y } = await program.run({ x: Tensor.from('float32', [1.5]) })
      const [sum] = (await engine.download(y!)).data
      if (sum !== 3) throw new TrainerError('engine', `1.5 + 1.5 came to ${String(sum)}.`)
    } finally {
      program.dispose()
    }
  } catch (error) {
    engine.dispose()
    const because = error instanceof TrainerError ? error.message : String(error)
    throw new TrainerError('engine', `'${engine.provider}' does not compute in ${type} here: ${because}`, {
      fix: fixes[type][engine.provider] ?? 'Leave it out: train in float32 there.',
      cause: error,
    })
  }
}

// One forward and backward pass through a graph of another exporter against PyTorch's.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AutoModel } from '../../src/auto/AutoModel'
import { TrainerError } from '../../src/errors'
import { readBytes } from '../../src/files/readFile'
import type { LossName } from '../../src/losses/lossNames'
import { readModel } from '../../src/onnx/readModel'
import { type Checked, compareEqual, verdict } from './compare'
import { compareModelCase, forwardAndBackward, type ModelCase } from './modelCases'
import { tensorOf } from './plainTensor'

interface GraphCase extends ModelCase {
  readonly loss_function: string
}

const losses: Readonly<Record<string, LossName>> = {
  'cross-entropy': 'cross_entropy',
  'mean-squared-error': 'mean_squared_error',
}

/** Checks a folder of `graphs` with forward.onnx and case.json. */
export async function checkGraph(folder: string): Promise<Checked> {
  const oracle = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8')) as GraphCase
  const file = join(folder, 'forward.onnx')
  try {
    const model = await AutoModel.fromOnnx(file, { loss: losses[oracle.loss_function] })
    const { target, ...inputs } = oracle.inputs
    const batch = Object.fromEntries(Object.entries(inputs).map(([name, plain]) => [name, tensorOf(plain)]))
    const found = await forwardAndBackward(model, { ...batch, labels: tensorOf(target!) })
    // the head calls what it reads by its own name
    const [output, ...others] = Object.keys(oracle.outputs)
    const read = found.outputs[output!] ?? Object.values(found.outputs)[0]!
    const rest = Object.fromEntries(others.map(name => [name, found.outputs[name]!]))
    const computed = { ...found, outputs: { [output!]: read, ...rest } }
    return { verdict: verdict(compareModelCase(oracle, computed)), computed }
  } catch (error) {
    const refused = await refusedByName(file, error)
    if (refused === undefined) throw error
    return { verdict: verdict([compareEqual(`${refused}, which is refused by name`, refused, refused)]) }
  }
}

/** The recurrent operator of a graph that an error names: there are two that may be refused. */
async function refusedByName(file: string, error: unknown): Promise<string | undefined> {
  if (!(error instanceof TrainerError)) return undefined
  const { graph } = readModel(await readBytes(file))
  return ['LSTM', 'GRU'].find(op => error.message.includes(op) && graph.nodes.some(node => node.op === op))
}

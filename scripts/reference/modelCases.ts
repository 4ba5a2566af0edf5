// One forward and backward pass against PyTorch's.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { modelFromFolder } from '../../src/auto/PreTrainedModel'
import type { TrainableModel } from '../../src/auto/TrainableModel'
import type { Task } from '../../src/heads/Head'
import { filler as paddingFiller } from '../../src/heads/tokenLabels'
import type { ModelConfig } from '../../src/models/config'
import { architectures } from '../../src/models/registry'
import { adamw } from '../../src/optim/adamw'
import { alone } from '../../src/processes/ProcessGroup'
import type { Batch } from '../../src/tensor'
import { createEngines, type Engines } from '../../src/training/engines'
import { Runner } from '../../src/training/Runner'
import { placesInUpdate } from '../../src/training/updates'
import { type Checked, type Comparison, compareEqual, compareScalar, skip, verdict } from './compare'
import { type WatchedEngines, watchedEngines } from './placement'
import { type Plain, plainOf, tensorOf } from './plainTensor'

/** What PyTorch computed with a model. */
export interface ModelCase {
  readonly inputs: Record<string, Plain>
  readonly loss: number
  readonly outputs: Record<string, Plain>
  readonly gradients: Record<string, { norm: number; first: number[] } | null>
}

/** What we computed, under the oracle's names. */
export interface Computed {
  readonly loss: number
  readonly outputs: Record<string, Plain>
  readonly gradients: Record<string, { readonly norm: number; readonly first: readonly number[] }>
}

/** Checks a folder FAMILY-HEAD with config.json, model.safetensors and case.json, on a device with every node there. */
export async function checkModelCase(folder: string, device?: string): Promise<Checked> {
  const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as ModelConfig & {
    architectures?: string[]
  }
  const oracle = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8')) as ModelCase
  const architecture = config.architectures?.[0] ?? ''
  if (!Object.hasOwn(architectures, config.model_type))
    return { verdict: skip(`the model_type "${config.model_type}" is not supported yet`) }
  const task = tasks[/For[A-Z]\w+$/.exec(architecture)?.[0] ?? '']
  if (task === undefined) return { verdict: skip(`the head ${architecture} is not supported yet`) }
  const watched = device === undefined ? undefined : await watchedEngines(device)
  const computed = await compute(folder, config, oracle, task, watched)
  const comparisons = compareModelCase(oracle, computed.values)
  if (device !== undefined) comparisons.push(compareEqual(`nodes that do not run on ${device}`, computed.strays, []))
  return { verdict: verdict(comparisons), computed: computed.values }
}

/** The task of a model by the end of its class's name in Python. */
const tasks: Readonly<Record<string, Task>> = {
  ForSequenceClassification: 'sequence-classification',
  ForTokenClassification: 'token-classification',
  ForQuestionAnswering: 'question-answering',
  ForMultipleChoice: 'multiple-choice',
  ForMaskedLM: 'masked-lm',
}

async function compute(
  folder: string,
  config: ModelConfig,
  oracle: ModelCase,
  task: Task,
  watched: WatchedEngines | undefined,
): Promise<{ values: Computed; strays: readonly string[] }> {
  const model = await modelFromFolder(folder, config, {}, task)
  let strays: readonly string[] = []
  const values = await forwardAndBackward(
    model,
    batchOf(oracle),
    watched?.engines,
    () => (strays = watched?.strays() ?? []),
  )
  return { values, strays }
}

/** The inputs of a case, as a collator gives them. */
export function batchOf({ inputs }: ModelCase): Batch {
  return mapped(inputs, plain => tensorOf(plain, plain.dtype === 'int64' ? 'int32' : 'float32'))
}

/**
 * One forward and backward pass of a model: the loss, what it predicts, and the gradients of the mean loss.
 * @param engines that it is computed on, and that end with it; the processor's unless given.
 * @param afterwards is called before they end.
 */
export async function forwardAndBackward(
  model: TrainableModel,
  batch: Batch,
  engines?: Engines,
  afterwards?: () => void,
): Promise<Computed> {
  const runner = new Runner(engines ?? (await createEngines({ engine: {} })), { model })
  try {
    model.decideHead(batch)
    const rowName = (row: number): string => `row ${row}`
    const forward = await runner.forward(runner.feed(batch, rowName, 'evaluation'))
    const predictions = await forward.predictions()
    const feed = runner.feed(batch, rowName)
    await runner.beginTraining({ optimizer: adamw(), weightDecay: () => 0, seed: 42 })
    const { training } = runner
    const [place] = await placesInUpdate([feed], alone, { microBatches: 1, rows: 0 })
    for await (const one of training.prepared([feed], [{ step: 0, index: 0, ...place! }])) await training.run(one)
    const { loss, count } = await runner.store.sums()
    const gradients: (readonly [string, { norm: number; first: number[] }])[] = []
    for await (const [name, sum] of runner.store.read('gradients')) {
      const mean = Float64Array.from(sum.data as Float32Array, v => v / count)
      const norm = Math.sqrt(mean.reduce((square, v) => square + v * v, 0))
      gradients.push([name, { norm, first: [...mean.slice(0, 4)] }])
    }
    afterwards?.()
    return { loss: loss / count, outputs: mapped(predictions, plainOf), gradients: Object.fromEntries(gradients) }
  } finally {
    await runner.dispose()
  }
}

function mapped<From, To>(record: Readonly<Record<string, From>>, map: (value: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]))
}

/**
 * A parameter's gradient; PyTorch calls a table that is tied to the decoder of a head by whichever name comes first.
 */
function gradientOf({ gradients }: Computed, name: string): Computed['gradients'][string] | undefined {
  const table = Object.keys(gradients).find(other => other.endsWith('word_embeddings.weight'))
  return gradients[name] ?? (name.endsWith('decoder.weight') && table !== undefined ? gradients[table] : undefined)
}

/** By the tolerances of the reference's README. */
export function compareModelCase(oracle: ModelCase, computed: Computed): Comparison[] {
  const comparisons: Comparison[] = [compareScalar('loss', computed.loss, oracle.loss, 1e-5 * Math.abs(oracle.loss))]
  for (const [name, expected] of Object.entries(oracle.outputs)) {
    const given = computed.outputs[name]
    if (given === undefined) return [{ what: name, error: Infinity, tolerance: 0 }]
    const largest = Math.max(...expected.data.map(Math.abs))
    expected.data.forEach((value, i) => {
      if (given.data[i] === paddingFiller) return // a token of padding, which nobody reads and we do not compute
      comparisons.push(compareScalar(`${name}[${i}]`, given.data[i]!, value, 2e-5 * largest))
    })
  }
  const largest = Math.max(...Object.values(oracle.gradients).map(g => g?.norm ?? 0))
  for (const [name, expected] of Object.entries(oracle.gradients)) {
    if (expected === null) continue
    const given = gradientOf(computed, name) ?? { norm: 0, first: expected.first.map(() => 0) }
    comparisons.push(
      compareScalar(
        `norm of the gradient of ${name}`,
        given.norm,
        expected.norm,
        Math.max(1e-4 * expected.norm, 2e-6 * largest),
      ),
    )
    expected.first.forEach((value, i) =>
      comparisons.push(
        compareScalar(
          `gradient of ${name}, value ${i}`,
          given.first[i]!,
          value,
          Math.max(1e-4 * expected.norm, 2e-6 * largest),
        ),
      ),
    )
  }
  return comparisons
}

// a model of every family with every head is saved, and opened again by Python, transformers.js and ONNX Runtime
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Dataset, type PreTrainedModel, setLogLevel, Tensor, Trainer } from '../../src/index'
import { modelFromConfig } from '../../src/auto/PreTrainedModel'
import type { Task } from '../../src/heads/Head'
import { architectures } from '../../src/models/registry'
import { MersenneTwister } from '../../src/random'
import type { Check } from './Check'
import { inPython, inWorkFolder, type PlainTensor, plainTensors, tensorsOf, writeGiven } from './python'
import { inTransformersJs, outputsOfFile } from './inTransformersJs'

/** Numbers of a prediction by name; an output that a row has padding in is compared where it has tokens. */
export type Outputs = Readonly<Record<string, Tensor<'float32'>>>

/** A folder that a model was saved in, and what it predicts for some rows. */
export interface SavedFolder {
  readonly name: string
  readonly folder: string
  readonly task: Task
  readonly inputs: Readonly<Record<string, Tensor<'int32'>>>
  readonly outputs: Outputs
}

/** Largest difference that is no difference. */
export const tolerance = 1e-4

/** Sizes under the names of all families; each takes those that it has. Weights large enough that rows differ. */
const sizes = {
  vocab_size: 40,
  hidden_size: 16,
  embedding_size: 8,
  num_hidden_layers: 3,
  num_attention_heads: 2,
  intermediate_size: 24,
  max_position_embeddings: 24,
  dim: 16,
  n_layers: 3,
  n_heads: 2,
  hidden_dim: 24,
  initializer_range: 0.3,
  pad_token_id: 1,
  initializer_cutoff_factor: 2, // a whole number, where Python's config takes fractions alone
  // distances and windows that tell tokens of so short rows apart
  relative_attention: true,
  pos_att_type: ['p2c', 'c2p'],
  position_buckets: 3,
  local_attention: 4,
}

/** Every family with every head that it has. */
export function everyHead(): { readonly family: string; readonly task: Task }[] {
  return Object.entries(architectures).flatMap(([family, { heads }]) =>
    (Object.keys(heads) as Task[]).map(task => ({ family, task })),
  )
}

/** A small model of a family with a head, with random weights. */
export function randomModel(family: string, task: Task, seed: number, labels = 3): PreTrainedModel<unknown> {
  const fields = architectures[family]!.config.fields
  const own = Object.fromEntries(Object.entries(sizes).filter(([name]) => Object.hasOwn(fields, name)))
  return modelFromConfig<unknown>({ model_type: family, ...own, num_labels: labels }, { seed }, task)
}

/** Saves a random model, and predicts rows of different lengths with it. */
export async function saveAndPredict(family: string, task: Task, seed: number, folder: string): Promise<SavedFolder> {
  const inputs = randomInputs(task, seed)
  const outputs = await predictAndSave(randomModel(family, task, seed), inputs, folder)
  return { name: `${family}, ${task}`, folder, task, inputs, outputs }
}

/** What a model predicts for four rows; it is saved then. */
export async function predictAndSave(
  model: PreTrainedModel<unknown>,
  inputs: SavedFolder['inputs'],
  folder: string,
): Promise<Outputs> {
  const rows = Array.from({ length: 4 }, (_, row) => ({ row }))
  const trainer = new Trainer({
    model,
    args: { outputDir: join(folder, 'run'), threads: 1, perDeviceEvalBatchSize: 4, removeUnusedColumns: false },
    dataCollator: () => inputs,
  })
  const { predictions } = await trainer.predict(Dataset.fromRows(rows))
  await trainer.saveModel(folder)
  await trainer.dispose()
  return Array.isArray(predictions)
    ? { start_logits: predictions[0] as Tensor<'float32'>, end_logits: predictions[1] as Tensor<'float32'> }
    : { logits: predictions as Tensor<'float32'> }
}

/** Random ids and masks: each row begins with real tokens, and ends with padding. */
export function randomInputs(task: Task, seed: number): Record<string, Tensor<'int32'>> {
  const shape = task === 'multiple-choice' ? [4, 3, 12] : [4, 12]
  const twister = new MersenneTwister(seed)
  const width = shape.at(-1)!
  const rows = shape.slice(0, -1).reduce((a, b) => a * b)
  const ids = new Int32Array(rows * width).fill(1)
  const mask = new Int32Array(rows * width)
  for (let row = 0; row < rows; row++) {
    const length = row === 0 ? width : 2 + Math.floor(twister.uniform() * (width - 2))
    for (let at = 0; at < length; at++) {
      ids[row * width + at] = 2 + Math.floor(twister.uniform() * 38)
      mask[row * width + at] = 1
    }
  }
  return { input_ids: new Tensor('int32', ids, shape), attention_mask: new Tensor('int32', mask, shape) }
}

/** The largest difference of outputs where the rows have tokens. @throws Error where shapes or names differ. */
export function largestDifference(expected: SavedFolder, found: Outputs): number {
  let largest = 0
  const mask = expected.inputs.attention_mask!.data
  for (const [name, { dims, data }] of Object.entries(expected.outputs)) {
    const other = found[name]
    if (other?.dims.join() !== dims.join())
      throw new Error(`${expected.name}: "${name}" should be [${dims.join()}], but is [${String(other?.dims.join())}].`)
    const each = data.length / mask.length // numbers for each token, where there are some
    data.forEach((value, i) => {
      if (dims.length > 1 && dims[1] === 12 && mask[Math.floor(i / each)] === 0) return
      const difference = Math.abs(value - other.data[i]!)
      largest = Math.max(largest, Number.isNaN(difference) ? Infinity : difference)
    })
  }
  return largest
}

/** What Python's classes make of saved folders, in the same order. */
async function inTheirClasses(python: string, saved: readonly SavedFolder[], work: string): Promise<Outputs[]> {
  const given = saved.map(one => ({ ...one, inputs: plainTensors(one.inputs), outputs: undefined }))
  const file = writeGiven(work, 'saved', given)
  const found = await inPython<Readonly<Record<string, PlainTensor>>[]>(python, 'savedFolders.py', [file])
  return found.map(tensorsOf)
}

export const savedFolders: Check = {
  does: 'Saves a model of every family with every head; Python, transformers.js and ONNX Runtime give its predictions to 1e-4.',
  needs: 'python3 with torch and transformers (--python PATH)',
  takes: 'about two minutes',
  options: '[--python PATH (python3)] [--seed N (1)]',
  async run(options, print) {
    const { values } = parseArgs({
      args: [...options],
      options: { python: { type: 'string', default: 'python3' }, seed: { type: 'string', default: '1' } },
    })
    setLogLevel('error')
    return inWorkFolder('saved-folders', async work => {
      const saved: SavedFolder[] = []
      for (const [i, { family, task }] of everyHead().entries()) {
        const folder = join(work, String(i))
        mkdirSync(folder)
        saved.push(await saveAndPredict(family, task, Number(values.seed) + i, folder))
      }
      const python = await inTheirClasses(values.python, saved, work)
      let failed = 0
      for (const [i, one] of saved.entries()) {
        const transformersJs = await inTransformersJs(one)
        const found = [
          ['Python', largestDifference(one, python[i]!)],
          ...(transformersJs === undefined
            ? ([['no class in transformers.js; model.onnx', largestDifference(one, await outputsOfFile(one))]] as const)
            : ([['transformers.js', largestDifference(one, transformersJs)]] as const)),
        ] as const
        if (found.some(([, difference]) => difference > tolerance)) failed++
        print(`${one.name}: ${found.map(([who, difference]) => `${who} ${difference.toExponential(1)}`).join(', ')}`)
      }
      print(`${saved.length} folders, ${saved.length - failed} the same to ${tolerance}`)
      return failed === 0
    })
  },
}

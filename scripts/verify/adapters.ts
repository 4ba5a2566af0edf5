// low-rank adapters that were saved here are opened by PEFT, and PEFT's here: of every family and head, with random
// options
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  getPeftModel,
  type LoraConfig,
  PeftModel,
  type PreTrainedModel,
  setLogLevel,
  Tensor,
  TrainerError,
} from '../../src/index'
import { autoModelFor } from '../../src/auto/autoModels'
import { linearLayers } from '../../src/models/lora'
import { MersenneTwister } from '../../src/random'
import type { Check } from './Check'
import { inPython, inWorkFolder, type PlainTensor, plainTensors, tensorsOf, writeGiven } from './python'
import {
  everyHead,
  largestDifference,
  type Outputs,
  predictAndSave,
  randomInputs,
  randomModel,
  type SavedFolder,
  tolerance,
} from './savedFolders'

/** A base and an adapter for it, and what both compute, and the merged model. */
interface Adapted extends SavedFolder {
  readonly base: string
  /** A base that lacks nothing, for adapters that PEFT makes. */
  readonly whole: string
  readonly adapter: string
  readonly seed: number
  readonly merged: Outputs
}

type Place = ReturnType<typeof everyHead>[number]

interface PlainOutputs {
  readonly adapted: Readonly<Record<string, PlainTensor>>
  readonly merged: Readonly<Record<string, PlainTensor>>
  readonly options?: object
}

/** Options for an adapter, as a function of the seed. */
export function randomOptions(model: Parameters<typeof linearLayers>[0], seed: number): LoraConfig {
  const twister = new MersenneTwister(seed)
  const one = <T>(list: readonly T[]): T => list[Math.floor(twister.uniform() * list.length)]!
  const ends = [...new Set(linearLayers(model).map(name => name.split('.').at(-1)!))].filter(
    end => !['classifier', 'pre_classifier', 'qa_outputs', 'out_proj', 'decoder'].includes(end),
  )
  const end = one(ends)
  const targets = [[end, one(ends)], new RegExp(`.*\\.(${end}|${one(ends)})`), 'all-linear'] as const
  const targetModules = one<string | readonly string[] | RegExp>(targets)
  const parts = ['word_embeddings', 'LayerNorm', 'decoder', 'lm_head'].filter(part =>
    model.parameters.some(({ name }) => name.includes(`${part}.`)),
  )
  const head = model.head.task === 'multiple-choice' ? ['classifier'] : []
  return {
    r: one([1, 2, 4]),
    loraAlpha: one([1, 8, 13]),
    loraDropout: one([0, 0.1]),
    targetModules,
    ...(Array.isArray(targetModules) && { layersToTransform: one([undefined, undefined, 0, [1]]) }),
    modulesToSave: one([undefined, undefined, [...head, ...(parts.length === 0 ? [] : [one(parts)])]]),
    useRslora: one([true, false]),
    bias: one(['none', 'lora_only', 'all'] as const),
    rankPattern: one([{}, { [end]: 3 }]),
    initLoraWeights: false,
    seed,
  } as LoraConfig
}

/** What is trained of an adapter is moved, so that its head is another than the base's. */
export function moveTrained(model: PeftModel<unknown>, seed: number): void {
  const twister = new MersenneTwister(seed)
  for (const { name, trainable } of model.definition.parameters) {
    if (!trainable) continue
    const { data, dims } = model.parameter(name)
    model.parameters.set(
      name,
      new Tensor(
        'float32',
        data.map(value => value + 0.2 * (twister.uniform() - 0.5)),
        dims,
      ),
    )
  }
}

/**
 * The model of a folder of another head: what that lacks is drawn by the seed, and is in no folder but the adapter's.
 */
async function headless(place: Place, seed: number, folder: string): Promise<PreTrainedModel<unknown>> {
  const { family, task } = place
  const other = task !== 'masked-lm' && hasHead(family, 'masked-lm') ? 'masked-lm' : 'token-classification'
  const labels = task === 'question-answering' ? 2 : 3 // Python goes by the config's number
  await randomModel(family, other, seed, labels).savePretrained(folder)
  return autoModelFor<unknown>(task).fromPretrained(folder, { seed })
}

function hasHead(family: string, task: Place['task']): boolean {
  return everyHead().some(one => one.family === family && one.task === task)
}

/** Trains a random part of the base beside the adapter: a whole module, or one parameter. */
function unfreezeOne(model: PeftModel<unknown>, seed: number): void {
  const frozen = model.definition.parameters.filter(({ trainable }) => !trainable).map(({ name }) => name)
  const name = frozen[Math.floor(new MersenneTwister(seed).uniform() * frozen.length)]!
  model.unfreeze(seed % 2 === 0 ? name : name.slice(0, name.lastIndexOf('.')))
}

function withRandomAdapter(model: PreTrainedModel<unknown>, seed: number, attempt = 0): PeftModel<unknown> {
  try {
    return getPeftModel(model, randomOptions(model.definition, seed + 10_000 * attempt))
  } catch (error) {
    if (!(error instanceof TrainerError) || attempt === 20) throw error
    return withRandomAdapter(model, seed, attempt + 1) // nothing was meant by one of these options
  }
}

async function saveAdapter(place: Place, seed: number, work: string): Promise<Adapted> {
  const { family, task } = place
  const [whole, lacking, adapter] = ['base', 'lacking', 'adapter'].map(part => join(work, `${part}-${seed}`)) as [
    string,
    string,
    string,
  ]
  for (const folder of [whole, lacking, adapter]) mkdirSync(folder)
  const inputs = randomInputs(task, seed)
  const complete = randomModel(family, task, seed)
  await predictAndSave(complete, inputs, whole)
  const isHeadless = seed % 3 === 2
  const model = isHeadless ? await headless(place, seed, lacking) : complete
  const adapted = withRandomAdapter(model, seed)
  if (seed % 3 === 1) unfreezeOne(adapted, seed)
  moveTrained(adapted, seed)
  const outputs = await predictAndSave(adapted, inputs, adapter)
  const merged = await predictAndSave(adapted.mergeAndUnload(), inputs, join(work, `merged-${seed}`))
  const base = isHeadless ? lacking : whole
  return { name: `${family}, ${task}`, folder: adapter, task, inputs, outputs, base, whole, adapter, seed, merged }
}

/** What PEFT makes of adapters, in the same order: it opens those that there are, or makes others. */
function inPeft(
  python: string,
  what: 'open' | 'make',
  cases: readonly Adapted[],
  work: string,
): Promise<PlainOutputs[]> {
  const given = cases.map(one => ({ ...one, inputs: plainTensors(one.inputs), outputs: undefined, merged: undefined }))
  return inPython(python, 'adapters.py', [what, writeGiven(work, what, given)])
}

/** What an adapter of PEFT's computes here, and the model that it is merged into. */
async function opened(one: Adapted, work: string): Promise<{ adapted: Outputs; merged: Outputs }> {
  const base = await autoModelFor<unknown>(one.task).fromPretrained(one.base)
  const model = await PeftModel.fromPretrained(base, one.adapter)
  const adapted = await predictAndSave(model, one.inputs, join(work, `again-${one.seed}`))
  const merged = await predictAndSave(model.mergeAndUnload(), one.inputs, join(work, `again-merged-${one.seed}`))
  return { adapted, merged }
}

export const adapters: Check = {
  does: 'Saves low-rank adapters of every family and head with random options, which PEFT opens, and opens those that PEFT made: predictions, merged ones too, to 1e-4.',
  needs: 'python3 with torch, transformers and peft (--python PATH)',
  takes: 'about four minutes a round',
  options: '[--python PATH (python3)] [--seed N (1)] [--rounds N (1)]',
  async run(options, print) {
    const { values } = parseArgs({
      args: [...options],
      options: {
        python: { type: 'string', default: 'python3' },
        seed: { type: 'string', default: '1' },
        rounds: { type: 'string', default: '1' },
      },
    })
    setLogLevel('error')
    return inWorkFolder('adapters', async work => {
      const places = Array.from({ length: Number(values.rounds) }, everyHead).flat()
      const cases: Adapted[] = []
      for (const [i, place] of places.entries())
        cases.push(await saveAdapter(place, 1000 * Number(values.seed) + i, work))
      const theirs = await inPeft(values.python, 'open', cases, work)
      const others = cases.map(one => ({ ...one, base: one.whole, adapter: `${one.adapter}-peft` }))
      const made = await inPeft(values.python, 'make', others, work)
      let failed = 0
      for (const [i, one] of cases.entries()) {
        const here = await opened(others[i]!, work)
        const found = {
          'opened by PEFT': largestDifference(one, tensorsOf(theirs[i]!.adapted)),
          'and merged': largestDifference({ ...one, outputs: one.merged }, tensorsOf(theirs[i]!.merged)),
          'made by PEFT': largestDifference({ ...one, outputs: here.adapted }, tensorsOf(made[i]!.adapted)),
          'and then merged': largestDifference({ ...one, outputs: here.merged }, tensorsOf(made[i]!.merged)),
        }
        const isSame = Object.values(found).every(difference => difference <= tolerance)
        if (!isSame) failed++
        const parts = Object.entries(found).map(([who, difference]) => `${who} ${difference.toExponential(1)}`)
        print(`${one.name}: ${parts.join(', ')}${isSame ? '' : ` ${JSON.stringify(made[i]!.options)}`}`)
      }
      print(`${cases.length} models, ${cases.length - failed} the same to ${tolerance}`)
      return failed === 0
    })
  },
}

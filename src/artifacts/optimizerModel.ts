import { nearest, TrainerError } from '../errors'
import { isJsonObject, parseJson, type JsonObject } from '../json'
import { operatorName, type RawAttribute } from '../onnx/RawModel'
import { sgd } from '../optim/sgd'
import type { UpdateRule } from '../optim/UpdateRule'
import { fileAdamw, inFloat32 } from './fileAdamw'
import { momentNames, momentSequences, optimizerSteps } from './names'
import type { ArtifactGraph } from './signature'

/** The update rule of an optimizer graph. */
export interface OptimizerModel extends UpdateRule {
  /** How many moments of each parameter a checkpoint has beside it, whether or not the rule reads them. */
  readonly moments: number
}

/** A node that updates or clips, in ONNX Runtime Training's words. */
interface Step {
  readonly op: string
  readonly numbers: ReadonlyMap<string, RawAttribute>
}

/**
 * What an optimizer graph does: its one update, after a clipping if there is one. A graph of ts-trainer's in ordinary
 * operators says so in its metadata.
 * @throws TrainerError ('graph') for a graph of other operators or attributes.
 */
export function optimizerModel({ file, model }: ArtifactGraph): OptimizerModel {
  const own = model.metadata.get(optimizerSteps)
  const steps =
    own === undefined
      ? model.graph.nodes.map(node => ({ op: operatorName(node).replace(microsoft, ''), numbers: node.attributes }))
      : stepsOf(own, file)
  const clips = steps.filter(({ op }) => op === 'InplaceClipGradNorm')
  const others = steps.filter(({ op }) => op !== 'InplaceClipGradNorm')
  const [update] = others
  if (update === undefined || others.length > 1 || clips.length > 1 || !Object.hasOwn(updates, update.op))
    throw unknownGraph(file, steps)
  const maxGradNorm = clips[0] === undefined ? 0 : largestNorm(clips[0], file)
  const names = model.graph.inputs.map(({ name }) => name)
  const moments = momentNames.filter(
    (moment, i) => names.includes(momentSequences[i]!) || names.some(name => name.endsWith(`.${moment}`)),
  )
  return { ...updates[update.op]!(update, file), source: file, maxGradNorm, moments: moments.length }
}

const microsoft = /^com\.microsoft\./

/** The updates that there are: how a node's attributes become a rule. */
const updates: Readonly<
  Record<string, (step: Step, file: string) => Pick<UpdateRule, 'optimizer' | 'weightDecay' | 'decides'>>
> = {
  AdamWOptimizer(step, file) {
    const read = numbersOf(step, file, {
      alpha: 0.9,
      beta: 0.999,
      epsilon: 1e-8,
      weight_decay: 1e-2,
      adam_mode: 0,
      correct_bias: 1,
    })
    const { alpha, beta, epsilon, weight_decay: weightDecay, adam_mode: mode, correct_bias } = read
    if ((mode !== 0 && mode !== 1) || (mode === 0 && correct_bias === 0)) {
      const found = `adam_mode ${mode} and correct_bias ${correct_bias}`
      throw new TrainerError('graph', `${file}: AdamWOptimizer has ${found}; ONNX Runtime has no such update.`)
    }
    return {
      optimizer: fileAdamw(inFloat32(read)),
      weightDecay,
      decides: { adamBeta1: alpha, adamBeta2: beta, adamEpsilon: epsilon, weightDecay },
    }
  },
  // p ← p - ηg
  SGDOptimizerV2(step, file) {
    numbersOf(step, file, {})
    return { optimizer: sgd(), weightDecay: 0, decides: { weightDecay: 0 } }
  },
}

/** A node's attributes, those that it leaves out by default. @throws TrainerError ('graph') for another one. */
function numbersOf<Names extends string>(
  { op, numbers }: Step,
  file: string,
  defaults: Readonly<Record<Names, number>>,
): Record<Names, number> {
  for (const [name, value] of numbers) {
    if (Object.hasOwn(defaults, name) && typeof value === 'number' && Number.isFinite(value)) continue
    throw new TrainerError('graph', `${file}: ${op} has the attribute ${name} = ${String(value)}, which is not known.`)
  }
  return { ...defaults, ...(Object.fromEntries(numbers) as Partial<Record<Names, number>>) }
}

function largestNorm({ op, numbers }: Step, file: string): number {
  const norm = numbers.get('max_norm') ?? 1
  const kind = numbers.get('norm_type') ?? 'fro'
  const others = [...numbers.keys()].filter(name => name !== 'max_norm' && name !== 'norm_type')
  if (typeof norm === 'number' && norm > 0 && kind === 'fro' && others.length === 0) return norm
  const found = [...numbers].map(([name, value]) => `${name} = ${String(value)}`).join(', ')
  throw new TrainerError('graph', `${file}: ${op} has ${found}; a max_norm above 0 with norm_type "fro" can be read.`)
}

function stepsOf(text: string, file: string): readonly Step[] {
  const parsed = tryParse(text)
  const isStep = (step: unknown): step is JsonObject =>
    isJsonObject(step) && Object.values(step).every(value => typeof value === 'number' || typeof value === 'string')
  if (!Array.isArray(parsed) || !parsed.every(isStep))
    throw new TrainerError(
      'file',
      `${file}: its metadata "${optimizerSteps}" is no list of updates: ${text.slice(0, 80)}`,
    )
  return parsed.map(({ op, ...numbers }) => ({
    op: String(op),
    numbers: new Map(Object.entries(numbers) as [string, number | string][]),
  }))
}

function tryParse(text: string): unknown {
  try {
    return parseJson(text)
  } catch {
    return undefined
  }
}

function unknownGraph(file: string, steps: readonly Step[]): TrainerError {
  const known = ['InplaceClipGradNorm', ...Object.keys(updates)]
  const foreign = steps.find(({ op }) => !known.includes(op))
  if (foreign !== undefined) {
    const near = nearest(foreign.op, known)
    const hint = near === undefined ? '' : ` (the closest known one is ${near})`
    return new TrainerError('graph', `${file}: the update ${foreign.op} has no rule${hint}.`, {
      fix: 'AdamWOptimizer and SGDOptimizerV2 are known; without that file the training arguments decide.',
    })
  }
  const found = steps.map(({ op }) => op).join(', ') || 'no node'
  return new TrainerError('graph', `${file}: one update was expected, after one InplaceClipGradNorm, not ${found}.`)
}

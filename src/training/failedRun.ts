// a run that the engine refused, told as what is wrong with its batch
import { TrainerError } from '../errors'
import type { GivenInput } from '../feeds/asGiven'
import { adviceFor, rowsAdvice } from '../feeds/fixedLengths'
import { checkLimits } from '../feeds/limits'
import type { Model, Trial } from '../models/Model'
import { lengthsOf, takenBy, type Tensors, withLengths } from '../models/trial'
import { indexLimits, lengthLookedUp, type Missed, missedPlace } from '../onnx/indexLimits'
import { describe } from '../onnx/shapes'
import type { Node } from '../onnx/types'
import type { LabelledFeed } from './LabelledFeed'

/**
 * Runs a program on a batch. Where the engine refuses it, and the model is a graph that was made elsewhere, the error
 * says what of the batch does not fit the graph, as far as writing the graph for its very lengths shows that, and which
 * rows, columns and lengths it is about.
 */
export async function explaining<T>(model: Model, feed: LabelledFeed, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    throw isOfBatch(error) && model.trial !== undefined ? explained(error, model.name, model.trial, feed) : error
  }
}

/** Out of memory, and what a provider cannot compute, have words of their own. */
function isOfBatch(error: unknown): error is TrainerError {
  if (!(error instanceof TrainerError) || error.code !== 'engine' || error.cause === undefined) return false
  return error.fix === undefined || /shape of that tensor/.test(error.fix)
}

function explained(error: TrainerError, file: string, trial: Trial, feed: LabelledFeed): TrainerError {
  const given: Tensors = { ...feed.inputs, ...feed.labels?.inputs }
  const columns = takenBy(trial, given)
  const shapes = columns.map(({ name }) => `"${name}" ${describe({ ...given[name]!, shape: given[name]!.dims })}`)
  const which = `${rowsOf(feed)} (${shapes.join(', ')})`
  const found = wrongWith(trial, columns, given, feed, error.problem) ?? {
    problem: error.problem,
    fix:
      'Check that its numbers are such as the graph was exported for (ids, labels, positions), and its lengths: ' +
      'what was exported with example inputs may keep their lengths inside.',
  }
  const told = found.problem.replace(`${file}: `, '')
  const problem = `${file} cannot be run on the batch of ${which}: ${told}`
  return new TrainerError('data', problem, { fix: found.fix, cause: error })
}

/** "rows 3, 0, 7 of the training dataset" */
function rowsOf({ places, rowName }: LabelledFeed): string {
  const names = Array.from({ length: Math.min(places.order.length, 8) }, (_, row) => rowName(row))
  const more = places.order.length > names.length ? ` and ${places.order.length - names.length} more` : ''
  const [, , dataset] = /^row (\S+) (.*)$/.exec(names[0] ?? '') ?? []
  if (dataset === undefined || names.length === 1) return names.join(', ') + more
  const numbers = names.map(name => name.slice('row '.length, -dataset.length - 1))
  return `rows ${numbers.join(', ')}${more} ${dataset}`
}

interface Wrong {
  readonly problem: string
  readonly fix: string
}

/** What writing the graph for the lengths of the batch shows; `said` are the engine's words. */
function wrongWith(
  trial: Trial,
  inputs: readonly GivenInput[],
  given: Tensors,
  { rowName }: LabelledFeed,
  said: string,
): Wrong | undefined {
  const lengths = lengthsOf(inputs, given)
  const fitting = (problem: string): string | undefined => fittingLength(trial, inputs, lengths, problem)
  try {
    const { graph } = trial.write(withLengths(inputs, lengths), false)
    const limits = { file: 'the graph', byInput: indexLimits(graph) }
    for (const { name } of inputs) checkLimits(name, given[name]!, limits, rowName)
    const counted = missedPlace(graph)
    if (counted !== undefined) return wrongPlace(counted, fitting(`[${counted.length}]`))
    const missed = missedIn(graph.nodes, said)
    return missed && wrongPlace(missed)
  } catch (error) {
    if (!(error instanceof TrainerError)) return undefined
    const { problem, fix = 'Give lengths that the graph was exported for.' } = error
    return { problem, fix: error.code === 'data' ? fix : (fitting(problem) ?? fix) }
  }
}

/** The node that the engine's words are about, where these are about a place that there is not. */
function missedIn(nodes: readonly Node[], said: string): Missed | undefined {
  const [, name, place] = /Name:'([^']+)'.*\bidx=(-?\d+)/.exec(said) ?? []
  const node = nodes.find(one => name !== undefined && unnumbered(one.name) === unnumbered(name))
  const length = node && lengthLookedUp(node)
  return node && length !== undefined ? { node, place: Number(place), of: node.inputs[0]!.name, length } : undefined
}

function unnumbered(name: string): string {
  return name.replace(/_\d+$/, '')
}

function wrongPlace({ node, place, of, length }: Missed, fix = placeAdvice(place < length)): Wrong {
  const places = `which has ${length}: 0 to ${length - 1}`
  return { problem: `the node "${unnumbered(node.name)}" looks up place ${place} of "${of}", ${places}.`, fix }
}

function placeAdvice(isBelow: boolean): string {
  if (isBelow) return 'Check the numbers that it is made of.'
  const shorter = 'give shorter rows: tokenize with { truncation: true, maxLength } of fewer tokens'
  return `Where positions are counted by it, ${shorter}. Else check the numbers that it is made of.`
}

/** The most time that is spent on looking for a length that fits, in ms. */
const patience = 3000

/** Advice for the one length that, if it were another, would fit: found by trying those that the problem suggests. */
function fittingLength(
  trial: Trial,
  inputs: readonly GivenInput[],
  lengths: ReadonlyMap<string, number>,
  problem: string,
): string | undefined {
  const end = Date.now() + patience
  const fits = (name: string, length: number): boolean => {
    if (Date.now() > end) return false
    try {
      return (
        missedPlace(trial.write(withLengths(inputs, new Map(lengths).set(name, length)), false).graph) === undefined
      )
    } catch {
      return false
    }
  }
  for (const [name, length] of lengths) {
    const fitting = suggested(problem, length).find(other => fits(name, other))
    if (fitting === undefined) continue
    const input = inputs.find(({ shape }) => shape.includes(name))!
    return lengthAdvice(input, name, fitting, fitting > 1 && fits(name, fitting - 1))
  }
  return undefined
}

/** Lengths that a message about shapes has in it, and those that stand to one as another does; the nearest first. */
function suggested(problem: string, length: number): readonly number[] {
  const numbers = [...new Set(Array.from(problem.matchAll(/(?<=[[ ])\d+(?=[\],. ])/g), ([text]) => Number(text)))]
  const ratios = numbers.flatMap(a => numbers.map(b => (length * a) / b)).filter(Number.isInteger)
  const all = [...new Set([...numbers, ...ratios])].filter(other => other > 0 && other !== length)
  return all.sort((a, b) => Math.abs(a - length) - Math.abs(b - length)).slice(0, 64)
}

function lengthAdvice({ name, shape }: GivenInput, length: string, fitting: number, isMost: boolean): string {
  const axis = shape.indexOf(length)
  if (!isMost) return axis === 0 ? rowsAdvice(fitting) : adviceFor(name, axis, fitting)
  if (axis === 0)
    return `Batches may have ${fitting} rows at most: set perDeviceTrainBatchSize and perDeviceEvalBatchSize.`
  return (
    `"${name}" may be ${fitting} at most along axis ${axis}: tokenize with { truncation: true, maxLength: ${fitting} }, ` +
    'or export the graph for longer rows.'
  )
}

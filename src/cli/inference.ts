// what a request asks → a call of a pipeline, and its answer as JSON
import { type Pipelines, Tensor, TrainerError } from '../index'
import type { OpenedPipeline } from './modelFlags'
import { RequestError } from './requestBody'

/** A question as JSON has it: the shape of Hugging Face's inference API. */
interface Asked {
  readonly inputs: unknown
  readonly parameters: object
}

/** A call that waits to be made. */
export interface Inference {
  /** How many texts it is about. */
  readonly texts: number
  run(): Promise<unknown>
}

/**
 * Reads a request: `inputs` is a text, a pair, or a list of these (of questions `{ question, context }`), `parameters`
 * are options of the pipeline, in Python's spelling or in ours.
 * @throws RequestError (400) for what is no such question.
 */
export function readInference(body: string, opened: OpenedPipeline): Inference {
  const { inputs, parameters } = readAsked(body)
  const options = Object.fromEntries(Object.entries(parameters).map(([name, value]) => [camelCase(name), value]))
  const given = opened.task === 'question-answering' ? questionsOf(inputs) : [inputs]
  const call = opened.pipeline as unknown as (...given: unknown[]) => Promise<unknown>
  return {
    texts: Array.isArray(given[0]) ? given[0].length : 1,
    async run() {
      try {
        return answerOf(await call(...given, options))
      } catch (error) {
        if (error instanceof TrainerError && (error.code === 'data' || error.code === 'argument'))
          throw new RequestError(400, error.message)
        throw error
      }
    },
  }
}

function readAsked(body: string): Asked {
  let written: unknown
  try {
    written = JSON.parse(body)
  } catch (error) {
    throw new RequestError(400, `The body is not JSON: ${(error as Error).message}.`)
  }
  if (!isObject(written) || written['inputs'] === undefined)
    throw new RequestError(400, `The body should be {"inputs": "a text"}; "parameters" may stand beside.`)
  const { inputs, parameters = {}, ...others } = written
  const [other] = Object.keys(others)
  if (other !== undefined)
    throw new RequestError(400, `The body has "${other}"; it takes "inputs" and "parameters". Leave it out.`)
  if (!isObject(parameters)) throw new RequestError(400, '"parameters" should be an object: {"top_k": 3}.')
  return { inputs, parameters }
}

/** Questions and contexts: one of each, or two lists. */
function questionsOf(inputs: unknown): unknown[] {
  const one = (item: unknown): readonly [string, string] => {
    const { question, context } = isObject(item) ? item : {}
    if (typeof question === 'string' && typeof context === 'string') return [question, context]
    throw new RequestError(400, '"inputs" should be {"question": "…", "context": "…"}, or a list of these.')
  }
  if (!Array.isArray(inputs)) return [...one(inputs)]
  const all = inputs.map(one)
  return [all.map(([question]) => question), all.map(([, context]) => context)]
}

function answerOf(answer: unknown): unknown {
  return answer instanceof Tensor ? answer.tolist() : answer
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Python's top_k is our topK. */
function camelCase(name: string): string {
  return name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())
}

/** The tasks that a server answers: all. */
export const servedTasks: readonly (keyof Pipelines)[] = [
  'text-classification',
  'token-classification',
  'question-answering',
  'fill-mask',
  'feature-extraction',
]

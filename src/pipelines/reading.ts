// what a call of a pipeline is given, and its options
import { TrainerError } from '../errors'
import { shown } from '../options'
import type { Encoding } from '../tokenizers/encoding'
import type { TokenizerOptions } from '../tokenizers/options'
import type { Items, TaskContext } from './PipelineTask'
import type { TokenRow } from './Predictor'

/** A text or several. @throws TrainerError (`data`) for what is none, naming its place in the list. */
export function readTexts({ where }: TaskContext, given: unknown): Items<string> {
  const isList = Array.isArray(given)
  const items = (isList ? given : [given]) as unknown[]
  const wrong = items.findIndex(item => typeof item !== 'string')
  if (wrong < 0) return { items: items as string[], isList }
  throw notTexts(where, 'a text or a list of texts', isList ? `text ${wrong}` : undefined, items[wrong])
}

/** The error for something that is not what a pipeline takes. */
export function notTexts(where: string, taken: string, place: string | undefined, value: unknown): TrainerError {
  const found = place === undefined ? `was given ${shown(value)}` : `${place} is ${shown(value)}`
  const isMissing = value === undefined || value === null
  const isPlain = ['number', 'bigint', 'boolean'].includes(typeof value)
  return new TrainerError('data', `${where} takes ${taken}, but ${found}.`, {
    ...(isMissing && { fix: 'Leave what is missing out.' }),
    ...(isPlain && { fix: 'Turn it into a text first: String(…).' }),
  })
}

/** What the tokenizer is told of lengths: what is too long is cut. */
export function cutting({ maxLength }: TaskContext): TokenizerOptions {
  return Number.isFinite(maxLength) ? { truncation: true, maxLength } : {}
}

/** An encoded text as a row. @throws TrainerError (`data`) where it has no tokens. */
export function rowOf({ input_ids: ids, token_type_ids: segments }: Encoding, name: string): TokenRow {
  if (ids.length > 0) return { name, ids, segments }
  throw new TrainerError('data', `There are no tokens in ${name}.`, { fix: 'Leave empty texts out.' })
}

/** What a label is called. @throws TrainerError (`model`) where the config does not say. */
export function labelNames({ config, width, where }: TaskContext): readonly string[] {
  return Array.from({ length: width }, (_, id) => {
    const { id2label } = config
    if (id2label === undefined || id2label === null) return `LABEL_${id}`
    if (Object.hasOwn(id2label, String(id))) return id2label[String(id)]!
    throw new TrainerError('model', `${where}: the config's id2label has no name for label ${id} of ${width}.`, {
      fix: 'Correct config.json, or load the model with id2label and give it to the pipeline.',
    })
  })
}

/** @throws TrainerError (`argument`) for what is no whole number from 1; null, where it means all, is let through. */
export function checkCount(value: unknown, name: string, allByNull = false): void {
  if ((allByNull && value === null) || (Number.isInteger(value) && (value as number) >= 1)) return
  const wanted = `a whole number from 1${allByNull ? ', or null for all,' : ''}`
  throw new TrainerError('argument', `${name} is ${shown(value)}; ${wanted} was expected.`)
}

/** @throws TrainerError (`argument`) for what is none of the choices. */
export function checkChoice(value: unknown, name: string, choices: readonly string[]): void {
  if (choices.includes(value as string)) return
  throw new TrainerError('argument', `${name} is ${shown(value)}; one of ${choices.join(', ')} was expected.`)
}

/** What errors call an item of a call. */
export function nameOf(kind: string, at: number, isList: boolean): string {
  return isList ? `${kind} ${at}` : `the ${kind}`
}

// labels of words → the entities that they mark, as seqeval 1.2.2 reads them
import { TrainerError } from '../errors'
import { logOnce } from '../logging'
import { checkOptions, refuseArguments } from '../options'
import { type Entity, type EntityScheme, schemeNames, strictEntities } from './entitySchemes'
import { checkForms, flag, type Form, oneOf } from './options'

/** How labels are read. */
export interface EntityReading {
  /**
   * 'default' as the CoNLL script does, which forgives prefixes that do not follow one another (`I-X` without `B-X`
   * begins an entity) and knows B, I, E and S; 'strict' by a scheme.
   */
  readonly mode?: 'default' | 'strict' | null | undefined
  /** The scheme of 'strict'; if none is given, the one among IOB2, IOE2, IOBES and BILOU that the references are in. */
  readonly scheme?: EntityScheme | null | undefined
  /** Labels end with the prefix (`PER-B`); false by default. */
  readonly suffix?: boolean | undefined
}

export const readingForms = {
  mode: oneOf('default', 'strict', null),
  scheme: oneOf(...schemeNames, null),
  suffix: flag,
} satisfies Record<string, Form>

/**
 * The entities of a sentence's labels, as seqeval's `get_entities` and its strict schemes find them.
 * @throws TrainerError (`argument`) for options that do not exist, `data` for a label that the scheme does not have.
 * @example
 * getEntities(['B-PER', 'I-PER', 'O', 'B-LOC'])
 * // [{ type: 'PER', start: 0, end: 1 }, { type: 'LOC', start: 3, end: 3 }]
 */
export function getEntities(labels: readonly string[], options?: EntityReading): Entity[]
export function getEntities(
  labels: readonly string[],
  options: EntityReading = {},
  ...extra: readonly unknown[]
): Entity[] {
  refuseArguments(extra, 'getEntities()')
  checkOptions(options, Object.keys(readingForms), 'getEntities()')
  checkReading('getEntities()', options)
  checkLabels(labels, 'getEntities(): the list of labels')
  if (options.mode !== 'strict') return chunks(labels, options.suffix ?? false)
  return strictEntities('getEntities()', { labels: [labels] }, options)['labels']![0]!
}

/** @throws TrainerError for values that options cannot have, and for a scheme that would not count. */
export function checkReading(where: string, options: EntityReading): void {
  checkForms(where, options, readingForms)
  if (options.mode === 'strict' || options.scheme === undefined || options.scheme === null) return
  throw new TrainerError('argument', `${where}: scheme is '${options.scheme}', but mode is 'default'.`, {
    fix: "A scheme counts with mode: 'strict' only.",
  })
}

/** @throws TrainerError unless it is a list of texts that are not empty. */
export function checkLabels(labels: unknown, where: string): asserts labels is readonly string[] {
  const wrong = Array.isArray(labels)
    ? labels.findIndex(label => typeof label !== 'string' || label === '')
    : Array.isArray(labels)
  if (wrong === -1) return
  const what =
    wrong === false
      ? `should be a list of texts such as ['B-PER', 'O'], not ${typeof labels}`
      : `has ${JSON.stringify((labels as unknown[])[wrong as number]) ?? 'undefined'} at place ${wrong as number}`
  throw new TrainerError('data', `${where} ${what}.`, {
    fix: 'Give each word its label as a text; entityLabels() makes them of logits.',
  })
}

/** Entities as the CoNLL script finds them; `end` is the last word's place. */
export function chunks(labels: readonly string[], suffix: boolean): Entity[] {
  const found: Entity[] = []
  let before = { prefix: 'O', type: '' }
  let start = 0
  for (const [place, label] of [...labels, 'O'].entries()) {
    const here = readLabel(label, suffix)
    if (ends(before, here)) found.push({ type: before.type, start, end: place - 1 })
    if (starts(before, here)) start = place
    before = here
  }
  return found
}

interface Label {
  readonly prefix: string
  readonly type: string
}

function readLabel(label: string, suffix: boolean): Label {
  const isKnown = suffix ? /^[OBIES]$|-[BIES]$/.test(label) : /^(?:[OBIES]$|[BIES]-)/.test(label)
  if (!isKnown)
    logOnce(
      'warning',
      `The label "${label}" has none of the prefixes B, I, E and S, and is read as the CoNLL script reads it; ` +
        "mode: 'strict' refuses labels that a scheme does not have.",
    )
  const letters = [...label]
  if (!suffix) {
    const rest = letters.slice(1).join('')
    return { prefix: letters[0]!, type: rest.slice(rest.indexOf('-') + 1) || '_' }
  }
  const rest = letters.slice(0, -1).join('')
  const dash = rest.lastIndexOf('-')
  return { prefix: letters.at(-1)!, type: (dash < 0 ? rest : rest.slice(0, dash)) || '_' }
}

function ends(before: Label, here: Label): boolean {
  if (before.prefix === 'E' || before.prefix === 'S') return true
  if ((before.prefix === 'B' || before.prefix === 'I') && 'BSO'.includes(here.prefix)) return true
  return before.prefix !== 'O' && before.prefix !== '.' && before.type !== here.type
}

function starts(before: Label, here: Label): boolean {
  if (here.prefix === 'B' || here.prefix === 'S') return true
  if ('ESO'.includes(before.prefix) && 'EI'.includes(here.prefix)) return true
  return here.prefix !== 'O' && here.prefix !== '.' && before.type !== here.type
}

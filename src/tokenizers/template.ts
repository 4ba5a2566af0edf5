// where special tokens stand around one text and around a pair: the post-processor of a tokenizer.json
import type { JsonPart } from './jsonPart'
import type { SpecialTokens } from './specials'

/** A piece of a template: one of the texts, or special tokens, with its segment id. */
export interface TemplatePiece {
  readonly text?: 'A' | 'B'
  readonly ids: readonly number[]
  readonly segment: number
}

/** What a single text and a pair become. */
export interface Template {
  readonly single: readonly TemplatePiece[]
  readonly pair: readonly TemplatePiece[]
  /** How the places of tokens are narrowed down, step by step, so that they leave blanks out. */
  readonly trims: readonly Trim[]
}

/** A step that leaves the blanks out of places; `prefixes`: but one that was put before the text counts as none. */
export interface Trim {
  readonly prefixes: boolean
}

/**
 * The template of a post-processor. RoBERTa's gives both texts segment 0, as the Rust library does.
 * @throws TrainerError (`file`) that names the field, and the type if it is not supported.
 */
export function templateOf(part: JsonPart): Template {
  if (part.isMissing) return bare
  const type = part.at('type').text()
  switch (type) {
    case 'TemplateProcessing':
      return fromTemplate(part)
    case 'BertProcessing':
      return around(specialId(part.at('cls')), specialId(part.at('sep')), 1)
    case 'RobertaProcessing':
      return { ...around(specialId(part.at('cls')), specialId(part.at('sep')), 0), trims: trimsOf(part) }
    case 'ByteLevel':
      return { ...bare, trims: trimsOf(part) }
    case 'Sequence':
      return onlyOf(part.at('processors').list())
    default:
      throw part.unsupported('post-processor', type)
  }
}

/**
 * A post-processor that makes `[CLS] A [SEP]` and `[CLS] A [SEP] B [SEP]`, the second text with segment 1, or with a
 * double separator `[CLS] A [SEP][SEP] B [SEP]`, all in segment 0; null if the tokenizer lacks either token.
 */
export function clsSepTemplate(
  specials: SpecialTokens,
  idOf: (token: string) => number | undefined,
  doubleSeparator = false,
): unknown {
  const { cls_token: cls, sep_token: sep } = specials
  if (cls === undefined || sep === undefined || idOf(cls) === undefined || idOf(sep) === undefined) return null
  const kind = doubleSeparator ? 0 : 1
  const special = (id: string, type: number): object => ({ SpecialToken: { id, type_id: type } })
  const text = (id: 'A' | 'B', type: number): object => ({ Sequence: { id, type_id: type } })
  const entry = (token: string): object => ({ id: token, ids: [idOf(token)], tokens: [token] })
  const single = [special(cls, 0), text('A', 0), special(sep, 0)]
  return {
    type: 'TemplateProcessing',
    single,
    pair: [...single, ...(doubleSeparator ? [special(sep, 0)] : []), text('B', kind), special(sep, kind)],
    special_tokens: { [cls]: entry(cls), [sep]: entry(sep) },
  }
}

const a = (segment: number): TemplatePiece => ({ text: 'A', ids: [], segment })
const b = (segment: number): TemplatePiece => ({ text: 'B', ids: [], segment })
const bare: Template = { single: [a(0)], pair: [a(0), b(1)], trims: [] }

function trimsOf(part: JsonPart): Trim[] {
  return part.at('trim_offsets').flag(true) ? [{ prefixes: part.at('add_prefix_space').flag(true) }] : []
}

function around(cls: number, sep: number, kind: 0 | 1): Template {
  const special = (id: number, segment = 0): TemplatePiece => ({ ids: [id], segment })
  const first = [special(cls), a(0), special(sep)]
  const middle = kind === 0 ? [special(sep)] : []
  return { single: first, pair: [...first, ...middle, b(kind), special(sep, kind)], trims: [] }
}

function fromTemplate(part: JsonPart): Template {
  const specials = part.at('special_tokens')
  const read = (piece: JsonPart): TemplatePiece => {
    const sequence = piece.at('Sequence')
    if (!sequence.isMissing)
      return { text: sequence.at('id').oneOf(['A', 'B']), ids: [], segment: sequence.at('type_id').count() }
    const special = piece.at('SpecialToken')
    const ids = specials.at(special.at('id').text()).at('ids').list()
    return { ids: ids.map(id => id.count()), segment: special.at('type_id').count() }
  }
  return { single: part.at('single').list().map(read), pair: part.at('pair').list().map(read), trims: [] }
}

/** The template of a sequence of processors, of which one at most may add tokens. */
function onlyOf(processors: readonly JsonPart[]): Template {
  const templates = processors.map(templateOf)
  const adding = processors.filter((_, index) => templates[index]!.single !== bare.single)
  const second = adding[1]
  if (second !== undefined)
    throw second.unsupported('post-processor', second.at('type').text(), 'is not supported after another one')
  const template = templates.find(({ single }) => single !== bare.single) ?? bare
  return { ...template, trims: templates.flatMap(({ trims }) => trims) }
}

function specialId(part: JsonPart): number {
  part.at(0).text()
  return part.at(1).count()
}

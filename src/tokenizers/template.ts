// where special tokens stand around one text and around a pair: the post-processor of a tokenizer.json
import { TrainerError } from '../errors'
import type { SpecialTokens } from './specials'
import type { TokenizerJson } from './tokenizerJson'

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
}

/** The template of a post-processor. RoBERTa's gives both texts segment 0, as the Rust library does. */
export function templateOf(processor: TokenizerJson['post_processor']): Template {
  if (processor === null || processor === undefined) return bare
  const options = processor as Record<string, unknown>
  switch (options['type']) {
    case 'TemplateProcessing':
      return fromTemplate(options)
    case 'BertProcessing':
      return around(specialId(options['cls']), specialId(options['sep']), 1)
    case 'RobertaProcessing':
      return around(specialId(options['cls']), specialId(options['sep']), 0)
    case 'ByteLevel':
      return bare
    case 'Sequence':
      return lastOf((options['processors'] ?? []) as TokenizerJson['post_processor'][])
    default:
      throw new TrainerError(
        'file',
        `tokenizer.json has a post-processor '${String(options['type'])}', which is not supported.`,
      )
  }
}

/**
 * A post-processor that makes `[CLS] A [SEP]` and `[CLS] A [SEP] B [SEP]`, the second text with segment 1; null if the
 * tokenizer lacks either token.
 */
export function clsSepTemplate(specials: SpecialTokens, idOf: (token: string) => number | undefined): unknown {
  const { cls_token: cls, sep_token: sep } = specials
  if (cls === undefined || sep === undefined || idOf(cls) === undefined || idOf(sep) === undefined) return null
  const special = (id: string, type: number): object => ({ SpecialToken: { id, type_id: type } })
  const text = (id: 'A' | 'B', type: number): object => ({ Sequence: { id, type_id: type } })
  const entry = (token: string): object => ({ id: token, ids: [idOf(token)], tokens: [token] })
  return {
    type: 'TemplateProcessing',
    single: [special(cls, 0), text('A', 0), special(sep, 0)],
    pair: [special(cls, 0), text('A', 0), special(sep, 0), text('B', 1), special(sep, 1)],
    special_tokens: { [cls]: entry(cls), [sep]: entry(sep) },
  }
}

const a = (segment: number): TemplatePiece => ({ text: 'A', ids: [], segment })
const b = (segment: number): TemplatePiece => ({ text: 'B', ids: [], segment })
const bare: Template = { single: [a(0)], pair: [a(0), b(1)] }

function around(cls: number, sep: number, kind: 0 | 1): Template {
  const special = (id: number, segment = 0): TemplatePiece => ({ ids: [id], segment })
  const first = [special(cls), a(0), special(sep)]
  const middle = kind === 0 ? [special(sep)] : []
  return { single: first, pair: [...first, ...middle, b(kind), special(sep, kind)] }
}

function fromTemplate(options: Record<string, unknown>): Template {
  type Written = { SpecialToken?: { id: string; type_id: number }; Sequence?: { id: 'A' | 'B'; type_id: number } }
  const specials = (options['special_tokens'] ?? {}) as Record<string, { ids: number[] }>
  const read = (piece: Written): TemplatePiece =>
    piece.Sequence !== undefined
      ? { text: piece.Sequence.id, ids: [], segment: piece.Sequence.type_id }
      : { ids: specials[piece.SpecialToken!.id]?.ids ?? [], segment: piece.SpecialToken!.type_id }
  return { single: (options['single'] as Written[]).map(read), pair: (options['pair'] as Written[]).map(read) }
}

/** The template of a sequence of processors: that of the last one that adds tokens. */
function lastOf(processors: readonly TokenizerJson['post_processor'][]): Template {
  return processors.map(templateOf).findLast(template => template !== bare) ?? bare
}

function specialId(token: unknown): number {
  if (Array.isArray(token) && Number.isInteger(token[1])) return token[1] as number
  throw new TrainerError(
    'file',
    `tokenizer.json has ${JSON.stringify(token)} as a special token of its post-processor; ` +
      'a text and its id were expected.',
  )
}

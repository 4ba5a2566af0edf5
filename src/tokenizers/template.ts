// where special tokens stand around one text and around a pair: the post-processor of a tokenizer.json
import { TrainerError } from '../errors'
import type { TokenizerJson } from './files'

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
export function readTemplate(processor: TokenizerJson['post_processor']): Template {
  if (processor === null || processor === undefined) return bare
  const options = processor as Record<string, unknown>
  switch (options['type']) {
    case 'TemplateProcessing':
      return fromTemplate(options)
    case 'BertProcessing':
      return around(idOf(options['cls']), idOf(options['sep']), 1)
    case 'RobertaProcessing':
      return around(idOf(options['cls']), idOf(options['sep']), 0)
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

/** Of a sequence of processors, the one that adds tokens. */
function lastOf(processors: readonly TokenizerJson['post_processor'][]): Template {
  return processors.map(readTemplate).findLast(template => template !== bare) ?? bare
}

function idOf(token: unknown): number {
  if (Array.isArray(token) && Number.isInteger(token[1])) return token[1] as number
  throw new TrainerError(
    'file',
    `tokenizer.json names ${JSON.stringify(token)} as a special token of its post-processor: a text and its id were expected.`,
  )
}

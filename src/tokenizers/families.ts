// the tokenizer classes of Python (transformers 5.24): the inputs that they return, the special tokens that they have
import type { SpecialTokens } from './specials'

/** A tokenizer class of Python. */
export interface Family {
  readonly name: string
  /** Which vocabulary files it can be built from. */
  readonly kind: 'wordpiece' | 'byte-level' | 'pieces' | 'other'
  /** The name of its SentencePiece model, if it is built from one (`pieces`). */
  readonly modelFile?: string
  /** Whether two separators stand between the texts of a pair, both of segment 0; false unless given. */
  readonly doubleSeparator?: boolean
  /** Whether its mask takes the blanks before it, unless the files describe the mask; false unless given. */
  readonly maskTakesBlanks?: boolean
  readonly inputs: readonly string[]
  readonly specials: SpecialTokens
}

const withSegments = ['input_ids', 'token_type_ids', 'attention_mask']
const segmentsLast = ['input_ids', 'attention_mask', 'token_type_ids']
const withoutSegments = ['input_ids', 'attention_mask']
const bert = { unk_token: '[UNK]', sep_token: '[SEP]', pad_token: '[PAD]', cls_token: '[CLS]', mask_token: '[MASK]' }
const bertWithEnds = { ...bert, bos_token: '[CLS]', eos_token: '[SEP]' }
const roberta = {
  bos_token: '<s>',
  eos_token: '</s>',
  unk_token: '<unk>',
  sep_token: '</s>',
  pad_token: '<pad>',
  cls_token: '<s>',
  mask_token: '<mask>',
}

const wordPiece = (name: string, inputs: readonly string[]): Family => {
  return { name, kind: 'wordpiece', inputs, specials: bert }
}
const byteLevel = (name: string): Family => {
  return { name, kind: 'byte-level', inputs: withoutSegments, specials: roberta }
}
const pieces = (name: string, modelFile: string, inputs: readonly string[], specials: SpecialTokens): Family => {
  return { name, kind: 'pieces', modelFile, inputs, specials }
}
const robertaPieces = (name: string): Family => pieces(name, 'sentencepiece.bpe.model', withoutSegments, roberta)
const other = (name: string, inputs: readonly string[], specials: SpecialTokens = {}): Family => {
  return { name, kind: 'other', inputs, specials }
}

const families: Readonly<Record<string, Family>> = Object.fromEntries(
  [
    wordPiece('BertTokenizer', withSegments),
    wordPiece('ElectraTokenizer', withSegments),
    wordPiece('ConvBertTokenizer', withSegments),
    wordPiece('MobileBertTokenizer', withSegments),
    wordPiece('SqueezeBertTokenizer', withSegments),
    wordPiece('LayoutLMTokenizer', withSegments),
    wordPiece('LxmertTokenizer', withSegments),
    wordPiece('DistilBertTokenizer', withoutSegments),
    byteLevel('RobertaTokenizer'),
    byteLevel('LongformerTokenizer'),
    {
      ...wordPiece('MPNetTokenizer', withoutSegments),
      specials: { ...roberta, unk_token: '[UNK]' },
      doubleSeparator: true,
      maskTakesBlanks: true,
    },
    { ...robertaPieces('XLMRobertaTokenizer'), doubleSeparator: true },
    { ...robertaPieces('CamembertTokenizer'), doubleSeparator: true, maskTakesBlanks: true },
    pieces('AlbertTokenizer', 'spiece.model', withoutSegments, {
      ...bertWithEnds,
      unk_token: '<unk>',
      pad_token: '<pad>',
    }),
    other('DebertaTokenizer', segmentsLast, bertWithEnds),
    pieces('DebertaV2Tokenizer', 'spm.model', segmentsLast, bertWithEnds),
  ].map((family): [string, Family] => [family.name, family]),
)

/** The tokenizer class of each `model_type`, for folders that do not name a class. */
const classOfModel: Readonly<Record<string, string>> = {
  bert: 'BertTokenizer',
  electra: 'ElectraTokenizer',
  distilbert: 'DistilBertTokenizer',
  convbert: 'ConvBertTokenizer',
  mobilebert: 'MobileBertTokenizer',
  squeezebert: 'SqueezeBertTokenizer',
  roberta: 'RobertaTokenizer',
  longformer: 'LongformerTokenizer',
  'xlm-roberta': 'XLMRobertaTokenizer',
  camembert: 'CamembertTokenizer',
  mpnet: 'MPNetTokenizer',
  albert: 'AlbertTokenizer',
  deberta: 'DebertaTokenizer',
  'deberta-v2': 'DebertaV2Tokenizer',
  modernbert: 'PreTrainedTokenizer',
}

/**
 * The class that a folder's files name: `tokenizer_class` (with or without "Fast"), or else the class of `model_type`,
 * or `fallback`. An unknown class has the inputs of Python's base class and no special tokens of its own.
 */
export function familyOf(tokenizerClass: unknown, modelType: unknown, fallback: string): Family {
  const named = typeof tokenizerClass === 'string' ? tokenizerClass.replace(/Fast$/, '') : undefined
  const name = named ?? (typeof modelType === 'string' ? classOfModel[modelType] : undefined) ?? fallback
  return families[name] ?? other(name === 'PreTrainedTokenizer' ? 'PreTrainedTokenizerFast' : name, withoutSegments)
}

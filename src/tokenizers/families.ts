// the tokenizer classes of Python (transformers 5.23): the inputs that they return, the special tokens that they have
import type { SpecialTokens } from './specials'

/** A tokenizer class of Python. */
export interface Family {
  readonly name: string
  /** Which vocabulary files it can be built from. */
  readonly kind: 'wordpiece' | 'byte-level' | 'other'
  readonly inputs: readonly string[]
  readonly specials: SpecialTokens
}

const withSegments = ['input_ids', 'token_type_ids', 'attention_mask']
const withoutSegments = ['input_ids', 'attention_mask']
const bert = { unk_token: '[UNK]', sep_token: '[SEP]', pad_token: '[PAD]', cls_token: '[CLS]', mask_token: '[MASK]' }
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
    other('XLMRobertaTokenizer', withoutSegments, roberta),
    other('CamembertTokenizer', withoutSegments, roberta),
    other('MPNetTokenizer', withoutSegments, { ...roberta, unk_token: '[UNK]' }),
    other('AlbertTokenizer', withoutSegments, {
      ...bert,
      bos_token: '[CLS]',
      eos_token: '[SEP]',
      unk_token: '<unk>',
      pad_token: '<pad>',
    }),
    other('DebertaTokenizer', ['input_ids', 'attention_mask', 'token_type_ids'], bert),
    other('DebertaV2Tokenizer', ['input_ids', 'attention_mask', 'token_type_ids'], {
      ...bert,
      bos_token: '[CLS]',
      eos_token: '[SEP]',
    }),
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

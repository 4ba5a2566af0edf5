import type { HeadTask } from '../heads/Head'

/** PEFT's names of tasks: what of a model it saves with the adapter, unless `modulesToSave` says otherwise. */
export type PeftTask = 'SEQ_CLS' | 'TOKEN_CLS' | 'QUESTION_ANS' | 'FEATURE_EXTRACTION'

/** Low-rank adapters (Hu et al. 2021): the options of PEFT's `LoraConfig`, with its defaults. */
export interface LoraConfig {
  /** The rank: rows of A, columns of B. Default 8. */
  readonly r?: number | undefined
  /** What is added is multiplied by `loraAlpha / r`. Default 8. */
  readonly loraAlpha?: number | undefined
  /** The probability with which elements of a layer's input are dropped before A, in training. Default 0. */
  readonly loraDropout?: number | undefined
  /**
   * The linear layers that have an adapter: names, or their last parts (`'query'`); `'all-linear'` for all but the head;
   * or a regular expression (or its source, in Python's spelling, as in PEFT) that a whole name matches. By default
   * those of the queries and values of attention.
   */
  readonly targetModules?: string | readonly string[] | RegExp | undefined
  /** Layers that have none in any case, given in the same way. Default: none. */
  readonly excludeModules?: string | readonly string[] | RegExp | undefined
  /**
   * Other ranks for some layers, by a pattern for the end of their names; the first that fits counts. Default: none.
   */
  readonly rankPattern?: Readonly<Record<string, number>> | undefined
  /** Other values of `loraAlpha`, in the same way. Default: none. */
  readonly alphaPattern?: Readonly<Record<string, number>> | undefined
  /** Multiplies by `loraAlpha / √r` (Kalajdzievski 2023). Default false. */
  readonly useRslora?: boolean | undefined
  /** Which biases are trained: none, all of the model's, or those of layers with an adapter. Default 'none'. */
  readonly bias?: 'none' | 'all' | 'lora_only' | undefined
  /**
   * Parts of the model that are trained whole and saved with the adapter, by the ends of their names. Default: the head,
   * which a classifier of texts or tokens, one that answers questions, or one that chooses always trains.
   */
  readonly modulesToSave?: readonly string[] | undefined
  /** The numbers of the layers of the encoder that have adapters, where `targetModules` is a list. Default: all. */
  readonly layersToTransform?: number | readonly number[] | undefined
  /**
   * What the list of layers is called in names, where names have several: `'layer'`. Default: whatever it is called.
   */
  readonly layersPattern?: string | readonly string[] | undefined
  /**
   * How A and B start: true as in Microsoft's code (A uniform, B zero, so that training starts from the model as it is),
   * 'gaussian' for A normal with a deviation of 1 / r, false for both at random. Default true.
   */
  readonly initLoraWeights?: boolean | 'gaussian' | undefined
  /** Default: that of the model's head. */
  readonly taskType?: PeftTask | undefined
}

/** The options, and what PEFT calls them. */
export const peftNames: { readonly [Name in keyof Required<LoraConfig>]: string } = {
  r: 'r',
  loraAlpha: 'lora_alpha',
  loraDropout: 'lora_dropout',
  targetModules: 'target_modules',
  excludeModules: 'exclude_modules',
  rankPattern: 'rank_pattern',
  alphaPattern: 'alpha_pattern',
  useRslora: 'use_rslora',
  bias: 'bias',
  modulesToSave: 'modules_to_save',
  layersToTransform: 'layers_to_transform',
  layersPattern: 'layers_pattern',
  initLoraWeights: 'init_lora_weights',
  taskType: 'task_type',
}

/** Where options of an adapter come from: the call that makes one, or the file of one. */
export interface OptionsSource {
  /** `getPeftModel()`, or the file. */
  readonly where: string
  readonly isFile: boolean
}

/** What an option is called where it comes from, for messages. */
export function called({ where, isFile }: OptionsSource, option: keyof LoraConfig): string {
  return `${where}: ${isFile ? peftNames[option] : option}`
}

/** What each of PEFT's tasks saves of a model with the adapter. */
export const peftTasks: Readonly<Record<PeftTask, readonly string[]>> = {
  SEQ_CLS: ['classifier', 'score'],
  TOKEN_CLS: ['classifier', 'score'],
  QUESTION_ANS: ['qa_outputs'],
  FEATURE_EXTRACTION: [],
}

/** PEFT's task for a head; it has none for the others. */
export const taskTypes: { readonly [T in HeadTask]?: PeftTask } = {
  'sequence-classification': 'SEQ_CLS',
  'token-classification': 'TOKEN_CLS',
  'question-answering': 'QUESTION_ANS',
  'feature-extraction': 'FEATURE_EXTRACTION',
}

/** What always has a value. */
type LoraDefaults = {
  readonly [
    Name in
      'r' | 'loraAlpha' | 'loraDropout' | 'rankPattern' | 'alphaPattern' | 'useRslora' | 'bias' | 'initLoraWeights'
  ]: NonNullable<LoraConfig[Name]>
}

/** The options that were given, with the defaults of those that have one. */
export function withLoraDefaults(given: LoraConfig): LoraConfig & LoraDefaults {
  const stated = Object.entries(given).filter(([, value]) => value !== undefined)
  return { ...loraDefaults, ...(Object.fromEntries(stated) as LoraDefaults) }
}

/** The defaults of what has one. */
const loraDefaults: LoraDefaults = {
  r: 8,
  loraAlpha: 8,
  loraDropout: 0,
  rankPattern: {},
  alphaPattern: {},
  useRslora: false,
  bias: 'none',
  initLoraWeights: true,
}

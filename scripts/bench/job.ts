// what the measured processes are given, and what they return: files of JSON

/** What products are computed in; float32 on CUDA is without TF32. */
export type Precision = 'float32' | 'tf32' | 'float16' | 'bfloat16'

/** One run of training. */
export interface Job {
  /** The folder of config and weights. */
  readonly model: string
  readonly tokenizer: string
  /** The file of the rows, by columns. */
  readonly rows: string
  /** Fields of the config that are changed: dropout. */
  readonly config: Readonly<Record<string, number>>
  readonly numLabels: number
  readonly batch: number
  /** Steps before those that are timed, and those. */
  readonly warmup: number
  readonly steps: number
  readonly seed: number
  /** Every step's loss is kept: for comparison, not for timing. */
  readonly keepLosses: boolean
  /** Where the trainer may write. */
  readonly output: string
  /** Where the result goes. */
  readonly result: string
  /** For ts-trainer: the module to import, and the path that profiles of operators begin with. */
  readonly module: string
  readonly operators?: string
  readonly gradientCheckpointing?: boolean
  /** As `device` of TrainingArguments; the rival is on the GPU for all but 'cpu', if torch has one. */
  readonly device: string
  readonly precision: Precision
  /** For Hugging Face Trainer. */
  readonly grouped: boolean
  readonly threads: number
  /** Steps between two samples of resident memory. */
  readonly memoryInterval: number
}

/** One run of training on artifacts. */
export interface ArtifactJob {
  /** The folder of the artifacts, and the file of the batches, padded. */
  readonly artifacts: string
  readonly batches: string
  readonly rate: number
  readonly threads: number
  readonly output: string
  readonly result: string
  /** For ts-trainer: the module to import. */
  readonly module: string
}

/** What a run gave. Times are seconds since the process began, by its own clock. */
export interface RunResult {
  /** When each step ended, warm-up included. */
  readonly stepEnds: readonly number[]
  /** For ts-trainer: the processor's time until each step's end, all threads together. */
  readonly processorTime?: readonly number[]
  /** The lengths of each step's rows. */
  readonly lengths: readonly (readonly number[])[]
  /** Each step's loss, if it was kept. */
  readonly losses: readonly number[]
  /** Bytes: the most that lay in memory at once, and what lay there every `memoryInterval` steps. */
  readonly peakMemory: number
  readonly memory: readonly number[]
  readonly versions: Readonly<Record<string, string>>
  /** From before the library's import to the end of the first step. */
  readonly importToFirstStep: number
  /** For ts-trainer: the bytes that have gone to a device and come back by each step's end. */
  readonly transfers?: readonly { readonly up: number; readonly down: number }[]
  /** For ts-trainer: the phases' intervals, and the files of ONNX Runtime's profiler. */
  readonly phases?: readonly PhaseSpan[]
  readonly programs?: readonly { readonly name: string; readonly startedAt: number; readonly file: string }[]
}

/** An interval of time, in milliseconds since the process began. */
export interface PhaseSpan {
  readonly phase: string
  readonly start: number
  readonly end: number
}

/** What products to time, and where the result goes. */
export interface ProductJob {
  readonly tokens: number
  readonly width: number
  readonly innerWidth: number
  readonly precision: 'float32' | 'bfloat16'
  readonly result: string
}

/** Floating-point operations a second, by product. */
export interface ProductResult {
  readonly rates: Readonly<Record<string, number>>
}

/** Pairs of texts to tokenize, several times over. */
export interface TokenizeJob {
  readonly tokenizer: string
  /** The file of the texts: two lists. */
  readonly pairs: string
  /** Pairs in a call, and the tokens that a pair is cut to. */
  readonly batch: number
  readonly maxLength: number
  readonly passes: number
  readonly result: string
}

/** Seconds of each pass, and the last one's ids. */
export interface TokenizeResult {
  readonly passes: readonly number[]
  readonly ids: readonly (readonly number[])[]
  readonly version: string
}

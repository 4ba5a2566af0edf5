// who may import whom in src: what test/layers.test.ts holds against every file, and against docs/architecture.md

const ground =
  'tensor random errors json labelColumn literalPattern logging options probabilities protobuf pythonNumbers turns words'.split(
    ' ',
  )
export const programs = 'onnx lowering losses autodiff optim feeds heads models programs'.split(' ')

/** Who may import whom, types too, by names of rooms. A file directly in `src/` is a room; anyone may import `ground`. */
export const rooms = listed({
  ground: '',
  processes: '',
  terminal: '',
  files: 'ground',
  metrics: 'ground',
  collators: 'ground',
  questionAnswering: 'ground',
  data: 'hub terminal files ground',
  tokenizers: 'collators data hub ground',
  onnx: 'ground',
  losses: 'onnx ground',
  lowering: 'losses autodiff onnx ground',
  autodiff: 'onnx ground',
  optim: 'onnx ground',
  feeds: 'onnx ground',
  heads: 'feeds losses onnx ground',
  models: 'lowering heads losses feeds onnx ground',
  programs: 'models heads feeds losses autodiff optim onnx ground',
  engine: 'onnx ground',
  parameters: 'programs feeds optim onnx engine processes ground',
  checkpoint: 'files ground',
  artifacts: 'auto programs models heads feeds lowering losses autodiff optim files onnx ground',
  install: 'files engine ground',
  TrainingArguments: 'optim engine hub ground',
  callbacks: 'terminal metrics TrainingArguments ground',
  search: 'metrics TrainingArguments ground',
  trackers: 'report callbacks TrainingArguments files ground',
  adapters: 'models heads files ground',
  auto: 'adapters programs models heads losses optim onnx tokenizers checkpoint hub files ground',
  hub: 'terminal files ground',
  modelCard: 'auto callbacks engine heads hub files metrics TrainingArguments ground',
  running: 'programs models heads feeds onnx parameters processes engine auto metrics ground',
  deciding:
    'running models losses optim heads engine auto data tokenizers metrics files callbacks TrainingArguments ground',
  looping: `deciding running parameters processes auto data metrics checkpoint files hub modelCard callbacks
    TrainingArguments ground`,
  report: 'auto callbacks engine heads files metrics TrainingArguments ground',
  pipelines: 'running auto programs models heads feeds engine onnx tokenizers ground',
  Trainer: `looping deciding running losses optim onnx processes data collators tokenizers metrics files checkpoint hub
    modelCard callbacks trackers auto search TrainingArguments ground`,
  index: `Trainer pipelines artifacts adapters looping deciding running engine install search TrainingArguments losses optim autodiff heads
    models onnx data collators questionAnswering tokenizers metrics modelCard callbacks trackers report auto hub files ground`,
  examples: '',
  cli: 'index examples',
})

/** The law inside `training/`: what runs, what decides, and the loop, which knows neither heads nor layouts. */
export const training = listed({
  running: `engines Runner Training failedRun LabelledFeed lossSums MaskSource profile updates evaluation LoadedBatch MicroBatch
    RowCollector memoryReport runnerOptions`,
  deciding: `options checkOptions createRunner data collating datasets plan rates optimizers parameterGroups judging UpdateHistory
    Exclusive LossLog RunSnapshot results stopping Throughput batchSize memoryAdvice`,
  looping:
    'TrainingRun RunParts TrainerEvents evaluateModel evaluatedBatch checkpoints resuming bestModel pushing pushOptions hubCheckpoint',
})

function listed(table: Readonly<Record<string, string>>): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(Object.entries(table).map(([name, text]) => [name, text === '' ? [] : text.split(/\s+/)]))
}

/** Files and folders that share a room under another name. */
export const sharing: Readonly<Record<string, string>> = {
  ...Object.fromEntries(ground.map(name => [name, 'ground'])),
  arguments: 'TrainingArguments',
}

/** Which rooms may import a package (or what begins with its name and a slash or colon); any other is a breach. */
export const doors: Readonly<Record<string, readonly string[]>> = {
  koffi: ['engine'],
  'onnxruntime-node': ['engine'],
  pbf: ['ground'],
  flatbuffers: ['artifacts'],
  '@huggingface/hub': ['hub'],
  '@huggingface/tokenizers': ['tokenizers'],
  tokenizers: ['tokenizers'],
  '@wandb/sdk': ['trackers'],
  hyparquet: ['data'],
  'hyparquet-compressors': ['data'],
  'hyparquet-writer': ['data'],
  mathjs: ['metrics'],
  'cli-progress': ['terminal'],
  zod: ['TrainingArguments'],
  yaml: ['TrainingArguments', 'data', 'modelCard'],
  node: ['files', 'checkpoint', 'adapters', 'hub', 'install', 'engine', 'trackers', 'report', 'cli'],
}

/** Which rooms may use a global that reaches outside. */
export const globals: Readonly<Record<string, readonly string[]>> = {
  console: ['cli'],
  'process.env': ['cli', 'hub', 'install', 'engine', 'trackers'],
  'process.stdout': ['terminal', 'cli'],
  'process.stderr': ['ground', 'terminal', 'cli'], // ground: logging's sink, unless another is set
}

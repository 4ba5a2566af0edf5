import { scheduleTypes, type ScheduleType } from '../optim/schedules'
import { choice, type Field, flag, list, map, type Mark, real, text, texts, unused, whole } from './fields'
import { type OptimizerArguments, type OptimizerName, optimizerKinds } from './optimizers'

const hub = 'pushing to the Hub is not part of ts-trainer yet'
const trackers = 'trackers are not part of ts-trainer yet; JsonlLogCallback writes the log as JSON Lines'
const bits16 = 'float16 is not part of ts-trainer; bf16 is'
const later = 'it is not part of ts-trainer yet'
const oneProcess = 'ts-trainer trains in one process on one device'
const pytorch = 'it is a switch of PyTorch; ts-trainer runs on ONNX Runtime'
const reentrant = "they choose between PyTorch's ways of checkpointing; ts-trainer has one, with identical gradients"
const script = 'only Python scripts read it; call train(), evaluate() or predict() instead'
const workers = 'batches are collated while a step runs, without worker processes'
const accelerate = {
  split_batches: false,
  dispatch_batches: null,
  even_batches: true,
  use_seedable_sampler: true,
  non_blocking: false,
  gradient_accumulation_kwargs: null,
}

/**
 * Every training argument: name · type · default · importance · reason; Hugging Face's (transformers 5.23) in its
 * order, then ts-trainer's own.
 *
 * What is refused at anything but its default is an {@link unused} row with the reason. The type of the options, their
 * checks, the flags of the command line and docs/arguments.md all come from here.
 */
const argumentTable = {
  // Duration, learning rate, optimizer
  outputDir: text('trainer_output', 'M', 'Where checkpoints, results and the model card go.'),
  perDeviceTrainBatchSize: whole(8, 'M', 'Rows in a micro-batch.', { least: 1 }),
  numTrainEpochs: real(3, 'M', 'Passes over the data; fractions too.', { least: 0 }),
  maxSteps: whole(-1, 'M', 'Above 0: the number of updates, in place of epochs; data without a length needs it.', {
    least: -1,
  }),
  learningRate: real(5e-5, 'M', 'Peak learning rate; the value that BERT fine-tuning is mostly done with.', {
    least: 0,
  }),
  lrSchedulerType: choice<readonly ScheduleType[]>(scheduleTypes, 'linear', 'M', 'The curve of the learning rate.', {
    differs:
      "cosine_warmup_with_min_lr ends at its minimum; the two that follow a metric take their mode from the metric's direction",
  }),
  lrSchedulerKwargs: map('S', 'Options of the schedule, e.g. { numCycles: 2 }.', {
    differs: 'in camelCase; an option that the schedule does not take is refused',
  }),
  warmupSteps: real(0, 'M', 'Updates of warm-up; below 1, the share of all updates.', { least: 0 }),
  optim: choice(Object.keys(optimizerKinds) as OptimizerName[], 'adamw_torch', 'M', 'The update rule.', {
    differs: 'the names of AdamW, SGD, Adagrad, RMSprop, Adafactor and Lion with 32-bit state; the others are refused',
  }),
  optimArgs: {
    ...map('N', 'More options of the optimizer, e.g. { momentum: 0.9 } for sgd.'),
    expects: 'an object of options, or a text like "momentum=0.9"',
    default: {},
    accepts: value =>
      typeof value === 'string' || (typeof value === 'object' && value !== null && !Array.isArray(value)),
    differs: "an object; files and the command line may have Python's text",
  } as Field<OptimizerArguments | string, OptimizerArguments>,
  weightDecay: real(0, 'M', 'Decay of weight matrices and embeddings; biases and normalisations have none.', {
    least: 0,
  }),
  adamBeta1: real(0.9, 'M', 'Decay of the mean of gradients in AdamW and Lion.', { least: 0, below: 1 }),
  adamBeta2: real(0.999, 'M', "Decay of the mean of their squares in AdamW; Lion's second beta.", {
    least: 0,
    below: 1,
  }),
  adamEpsilon: real(1e-8, 'M', 'Keeps AdamW from dividing by zero.', { least: 0 }),
  optimTargetModules: unused<undefined>(
    undefined,
    '–',
    'Modules for low-rank optimizers.',
    'low-rank optimizers are not part of ts-trainer',
  ),
  gradientAccumulationSteps: whole(1, 'M', 'Micro-batches in an update.', {
    least: 1,
    differs: 'equals one large batch for every loss',
  }),
  averageTokensAcrossDevices: unused<boolean>(true, 'N', 'One count of labels for all devices.', oneProcess),
  maxGradNorm: real(1, 'M', 'Gradients are scaled down to this L2 norm; 0 or less: they are not.'),
  labelSmoothingFactor: real(0, 'M', 'Share of the target that is spread over all classes.', { least: 0, most: 1 }),

  // Precision, memory
  bf16: flag(false, 'N', 'Forward and backward in bfloat16; parameters, gradients and the update stay float32.', {
    differs:
      "on a CPU with AMX, by OpenVINO's plug-in (npx ts-trainer install openvino); refused elsewhere. Evaluation stays float32 without bf16FullEval",
  }),
  fp16: unused<boolean>(false, 'N', 'float16 training.', bits16),
  bf16FullEval: flag(false, 'N', 'Evaluation and prediction in bfloat16.', { differs: 'where bf16 works' }),
  fp16FullEval: unused<boolean>(false, 'N', 'float16 evaluation.', bits16),
  tf32: unused<boolean | undefined>(undefined, '–', 'TF32 on NVIDIA GPUs.', pytorch),
  activationCheckpointing: unused<boolean>(
    false,
    'N',
    'The later name of gradientCheckpointing.',
    'its name is gradientCheckpointing here',
  ),
  activationCheckpointingKwargs: unused<undefined>(undefined, '–', 'Options of the same.', reentrant),
  gradientCheckpointing: flag(
    false,
    'N',
    'Compute layers again in the backward pass, in place of keeping what they computed: less memory, more time.',
  ),
  gradientCheckpointingKwargs: unused<undefined>(undefined, '–', 'Options of the same.', reentrant),
  torchCompile: unused<boolean>(false, '–', "PyTorch's compiler.", pytorch),
  torchCompileBackend: unused<undefined>(undefined, '–', 'The same.', pytorch),
  torchCompileMode: unused<undefined>(undefined, '–', 'The same.', pytorch),
  useLigerKernel: unused<boolean>(false, '–', 'Triton kernels.', pytorch),
  ligerKernelConfig: unused<undefined>(undefined, '–', 'The same.', pytorch),
  useCache: unused<boolean>(
    false,
    '–',
    'Caches of generation.',
    'ts-trainer trains encoders, which have no such cache',
  ),
  neftuneNoiseAlpha: unused<number | undefined>(undefined, 'N', 'Noise on embeddings.', later),
  torchEmptyCacheSteps: unused<number | undefined>(undefined, '–', "How often PyTorch's cache is emptied.", pytorch),
  autoFindBatchSize: unused<boolean>(false, 'N', 'Smaller batches after running out of memory.', later),

  // Logging
  loggingStrategy: choice(['no', 'steps', 'epoch'], 'steps', 'M', 'When the training loss is logged.'),
  loggingSteps: real(500, 'M', 'Updates between two logs; below 1, the share of all updates.', { least: 0 }),
  loggingFirstStep: flag(false, 'M', 'Log after the first update as well.'),
  logOnEachNode: unused<boolean>(true, 'N', 'Log on every machine.', oneProcess),
  loggingNanInfFilter: flag(true, 'M', 'Leave losses that are not finite out of the logged loss.', {
    differs: "only where onNonFinite is 'continue'; by default such a loss stops the run",
  }),
  includeNumInputTokensSeen: {
    ...choice(['no', 'all', 'non_padding'], 'no', 'S', "Count the tokens trained on, and log them: true is 'all'."),
    expects: "true, false, 'no', 'all' or 'non_padding'",
    reads: 'any',
    accepts: value => typeof value === 'boolean' || ['no', 'all', 'non_padding'].includes(value as string),
    normal: given => (given === true ? 'all' : given === false ? 'no' : (given as 'no' | 'all' | 'non_padding')),
  } as Field<boolean | 'no' | 'all' | 'non_padding', 'no' | 'all' | 'non_padding'>,
  logLevel: choice(
    ['detail', 'debug', 'info', 'warning', 'error', 'critical', 'passive'],
    'passive',
    'S',
    "The least important message that is still shown; 'passive' leaves it as it is ('warning').",
  ),
  logLevelReplica: unused<string>('warning', '–', 'The same for other processes.', oneProcess),
  disableTqdm: flag(
    undefined,
    'M',
    "Plain lines in place of the progress bar; by default only where logLevel is above 'warning'.",
  ) as Field<boolean, boolean>,
  reportTo: {
    ...list([], 'M', 'Trackers to report to.'),
    expects: "'none'",
    differs: `${trackers}: only 'none' is accepted, and null means the same`,
    accepts: value =>
      ['none', undefined, null].includes(value as string) ||
      (Array.isArray(value) && value.every(one => one === 'none')),
    normal: () => [],
  } as Field<string | readonly string[], readonly string[]>,
  runName: text(undefined, 'S', 'A name of the run, which JsonlLogCallback writes on every line.', {
    differs: 'only JsonlLogCallback uses it, for want of trackers',
  }),
  project: unused<string>('huggingface', 'N', "Trackio's project.", trackers),
  trackioSpaceId: unused<string | undefined>(undefined, 'N', "Trackio's Space.", trackers, ['trackio']),
  trackioBucketId: unused<string | undefined>(undefined, 'N', "Trackio's bucket.", trackers),
  trackioStaticSpaceId: unused<string | undefined>(undefined, 'N', "Trackio's static Space.", trackers),

  // Evaluation
  evalStrategy: choice(['no', 'steps', 'epoch'], 'no', 'M', 'When evaluation runs during training.'),
  evalSteps: real(
    undefined,
    'M',
    'Updates between two evaluations; below 1, the share of all updates; loggingSteps unless given.',
    { least: 0 },
  ),
  evalDelay: real(0, 'S', 'No evaluation before so many updates (or epochs, by evalStrategy).', { least: 0 }),
  perDeviceEvalBatchSize: whole(8, 'M', 'Rows in a batch of evaluation.', { least: 1 }),
  predictionLossOnly: flag(false, 'M', 'Evaluation keeps the loss alone.'),
  evalOnStart: flag(false, 'M', 'Evaluate once before the first update.'),
  evalDoConcatBatches: unused<boolean>(true, 'N', 'Predictions in one piece.', later),
  evalUseGatherObject: unused<boolean>(false, '–', 'Gather Python objects of several processes.', oneProcess),
  evalAccumulationSteps: whole(
    1,
    'S',
    'Batches of evaluation after which predictions are moved to the host and joined.',
    { least: 1, differs: '1 by default, so that they never pile up on a device' },
  ),
  includeForMetrics: list([], 'S', 'What computeMetrics gets besides predictions and labels.', {
    of: ['inputs', 'loss'],
  }),
  batchEvalMetrics: flag(false, 'S', 'Call computeMetrics batch by batch, so that nothing is kept.'),

  // Checkpoints
  saveOnlyModel: flag(
    false,
    'M',
    'Checkpoints without the state of optimizer, schedule and random numbers: they cannot be resumed exactly.',
  ),
  saveStrategy: choice(['no', 'steps', 'epoch', 'best'], 'steps', 'M', 'When checkpoints are written.'),
  saveSteps: real(
    500,
    'M',
    'Updates between two checkpoints; below 1, the share of all updates; 0 or less: only the last.',
  ),
  saveOnEachNode: unused<boolean>(false, '–', 'Save on every machine.', oneProcess),
  saveTotalLimit: whole(undefined, 'M', 'Checkpoints to keep, the best and the last always; all unless given.'),
  enableJitCheckpoint: flag(false, 'S', 'On SIGTERM write a checkpoint and stop.'),
  pushToHub: unused<boolean>(false, 'S', 'Push the model to the Hub.', hub),
  hubToken: unused<string | undefined>(undefined, 'S', 'Token for the Hub.', hub, ['<HUB_TOKEN>']),
  hubPrivateRepo: unused<boolean | undefined>(undefined, 'S', 'Whether a new repository is private.', hub),
  hubModelId: unused<string | undefined>(undefined, 'S', 'Repository to push to.', hub),
  hubStrategy: unused<string>('every_save', 'S', 'What is pushed when.', hub),
  hubAlwaysPush: unused<boolean>(false, 'N', 'Push although the last push is not done.', hub),
  hubRevision: unused<string | undefined>(undefined, 'N', 'Branch to push to.', hub),
  loadBestModelAtEnd: flag(false, 'M', "Go back to the best checkpoint's weights when training ends.", {
    differs: 'refused without any evaluation',
  }),
  metricForBestModel: text(
    undefined,
    'M',
    "The metric that decides which is best, with or without eval_; 'loss' where one is needed.",
  ),
  greaterIsBetter: flag(
    undefined,
    'M',
    'Whether a higher metric is better; unless given, yes if its name does not end in "loss".',
  ),
  ignoreDataSkip: flag(false, 'S', 'Resume without skipping the rows already trained on in the epoch.'),
  restoreCallbackStatesFromCheckpoint: flag(true, 'S', "Resume with the callbacks' states of the checkpoint.", {
    differs: 'on by default: early stopping would start counting anew',
  }),

  // Data, seeds
  fullDeterminism: unused<boolean>(
    false,
    '–',
    'Deterministic kernels.',
    'runs are deterministic as they are: leave it out',
  ),
  seed: whole(42, 'M', 'Seed of weights that are initialised, dropout and data order.', {
    least: 0,
    most: 2 ** 32 - 1,
  }),
  dataSeed: whole(undefined, 'M', 'Seed of the data order alone; seed unless given.', { least: 0 }),
  useCpu: flag(false, 'S', 'Train on the CPU, whatever device says.', {
    differs: 'the CPU is the default; device chooses another',
  }),
  acceleratorConfig: unused<undefined>(undefined, '–', 'Options of accelerate.', oneProcess, [
    accelerate,
    { ...accelerate, use_configured_state: false },
  ]),
  parallelismConfig: unused<undefined>(undefined, '–', 'Parallelism of accelerate.', oneProcess),
  dataloaderDropLast: flag(false, 'M', "Leave out an epoch's last batch if it is not full."),
  dataloaderNumWorkers: unused<number>(0, 'N', 'Worker processes that collate.', workers),
  dataloaderPinMemory: unused<boolean>(true, '–', 'Pinned memory for CUDA; false wherever useCpu is true.', pytorch),
  dataloaderPersistentWorkers: unused<boolean>(false, '–', 'Keep the workers between epochs.', workers),
  dataloaderPrefetchFactor: unused<number | undefined>(undefined, 'N', 'Batches that a worker has ready.', workers),
  dataloaderMultiprocessingContext: unused<string | undefined>(undefined, '–', 'How workers are started.', workers),
  dataloaderInOrder: unused<boolean>(true, '–', 'Batches in order whatever worker is faster.', workers),
  removeUnusedColumns: flag(true, 'M', 'Drop the columns that the model does not take.'),
  labelNames: list(undefined, 'S', "The columns that are labels, if the model's own names do not fit."),
  trainSamplingStrategy: choice(
    ['random', 'sequential', 'group_by_length'],
    'random',
    'M',
    'The order of rows in training.',
    { differs: "evaluation is always in the dataset's order" },
  ),
  lengthColumnName: text(
    'length',
    'S',
    "The column with the rows' lengths, for group_by_length; counted where there is none.",
  ),

  // Several devices, debugging, scripts
  ddpFindUnusedParameters: unused<boolean | undefined>(undefined, '–', 'Option of data parallelism.', oneProcess),
  ddpBucketCapMb: unused<number | undefined>(undefined, '–', 'Option of data parallelism.', oneProcess),
  ddpBroadcastBuffers: unused<boolean | undefined>(undefined, '–', 'Option of data parallelism.', oneProcess),
  ddpStaticGraph: unused<boolean | undefined>(undefined, '–', 'Option of data parallelism.', oneProcess),
  ddpBackend: unused<string | undefined>(undefined, '–', 'Option of data parallelism.', oneProcess),
  ddpTimeout: unused<number>(1800, '–', 'Option of data parallelism.', oneProcess),
  fsdp: unused<undefined>(undefined, '–', 'Sharded training.', oneProcess, ['', []]),
  fsdpConfig: unused<undefined>(undefined, '–', 'Sharded training.', oneProcess),
  deepspeed: unused<undefined>(undefined, '–', 'DeepSpeed.', oneProcess),
  debug: unused<readonly string[]>([], '–', "PyTorch's debugging switches.", pytorch, ['']),
  skipMemoryMetrics: unused<boolean>(true, 'N', 'Leave memory out of the metrics.', later),
  doTrain: unused<boolean>(false, '–', "A script's switch.", script),
  doEval: unused<boolean>(false, '–', "A script's switch; true wherever evalStrategy is not 'no'.", script),
  doPredict: unused<boolean>(false, '–', "A script's switch.", script),
  resumeFromCheckpoint: unused<string | undefined>(
    undefined,
    'N',
    "A script's switch.",
    'it is an option of train(): train({ resumeFromCheckpoint })',
  ),
  localRank: unused<number>(-1, '–', "A launcher's number of this process.", oneProcess),

  // ts-trainer's own
  device: text(
    'cpu' as 'cpu' | 'auto' | 'cuda' | 'webgpu' | (string & {}),
    'own',
    "Where the programs run: 'cpu', 'cuda', 'webgpu', another provider of the library by its name, or 'auto' for the best that works.",
  ),
  library: text(undefined, 'own', 'Path of the ONNX Runtime library, if not the one that npm installed.'),
  pluginLibrary: text(
    undefined,
    'own',
    "The file of a plug-in provider; device then names it and its device, as in 'openvino:cpu'. With bf16 OpenVINO's.",
  ),
  providerOptions: texts('own', "The provider's own options, e.g. { use_tf32: '0' } for CUDA."),
  threads: whole(
    undefined,
    'own',
    'Threads of the CPU provider; OMP_NUM_THREADS of the environment unless given, else one per core.',
    { least: 1 },
  ),
  onNonFinite: choice(
    ['error', 'skip', 'continue'],
    'error',
    'own',
    'A loss or gradient that is not finite: stop the run, skip that update and count it in the logs, or go on as Hugging Face does.',
  ),
} as const satisfies Readonly<Record<string, Field<unknown, unknown>>>

export type ArgumentTable = typeof argumentTable
export type ArgumentName = keyof ArgumentTable

/** The names, in the table's order. */
export const argumentNames = Object.keys(argumentTable) as ArgumentName[]

/** One row, whatever its type. */
export interface ArgumentRow extends Field<unknown, unknown> {
  readonly mark: Mark
}

/** The row of a name. */
export function argumentRow(name: ArgumentName): ArgumentRow {
  return argumentTable[name] as unknown as ArgumentRow
}

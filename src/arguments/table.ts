import { scheduleTypes, type ScheduleType } from '../optim/schedules'
import { choice, type Field, flag, list, map, type Mark, real, text, texts, unused, whole } from './fields'
import { repositoryProblem } from './hubModelId'
import { normalReportTo, type ReportTo, reportToProblem, type TrackerName } from './reportTo'
import { type OptimizerArguments, type OptimizerName, optimizerKinds, optimizerProblem } from './optimizers'

const space = 'trackio is reached at a server that runs (TRACKIO_SERVER_URL); a Space is not made'
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
 * Every training argument: name · type · default · importance · purpose; those of Hugging Face (transformers 5.23) in
 * its order, then those of ts-trainer alone.
 *
 * An argument that accepts only its default is an {@link unused} row with the reason. The type of the options, their
 * checks, the flags of the command line and docs/arguments.md all follow from this table.
 */
const argumentTable = {
  // Duration, learning rate, optimizer
  outputDir: text('trainer_output', 'M', 'Where checkpoints, results and the model card go.'),
  perDeviceTrainBatchSize: whole(8, 'M', 'Rows in a micro-batch.', { least: 1 }),
  numTrainEpochs: real(3, 'M', 'Passes over the data; fractions too.', { least: 0 }),
  maxSteps: whole(-1, 'M', 'If above 0, the number of updates, instead of epochs; data without a length needs it.', {
    least: -1,
  }),
  learningRate: real(5e-5, 'M', 'Peak learning rate; the default is the usual one for fine-tuning BERT.', {
    least: 0,
  }),
  lrSchedulerType: choice<readonly ScheduleType[]>(scheduleTypes, 'linear', 'M', 'The curve of the learning rate.', {
    differs:
      'cosine_warmup_with_min_lr ends at its minimum; the two that follow a metric take their mode from the ' +
      'direction of the metric',
  }),
  lrSchedulerKwargs: map('S', 'Options of the schedule, e.g. { numCycles: 2 }.', {
    differs: 'in camelCase; an option that the schedule does not take is refused',
  }),
  warmupSteps: real(0, 'M', 'Updates of warm-up; below 1, a share of all updates.', { least: 0 }),
  optim: choice(Object.keys(optimizerKinds) as OptimizerName[], 'adamw_torch', 'M', 'The update rule.', {
    differs: 'only the names of AdamW, SGD, Adagrad, RMSprop, Adafactor and Lion with 32-bit state',
    problem: optimizerProblem,
  }),
  optimArgs: {
    ...map('N', 'More options of the optimizer, e.g. { momentum: 0.9 } for sgd.'),
    expects: 'an object of options, or a text like "momentum=0.9"',
    default: {},
    accepts: value =>
      typeof value === 'string' || (typeof value === 'object' && value !== null && !Array.isArray(value)),
    differs: "an object; files and the command line also take Python's text",
  } as Field<OptimizerArguments | string, OptimizerArguments>,
  weightDecay: real(0, 'M', 'Decay of weight matrices and embeddings, but not of biases and normalisations.', {
    least: 0,
  }),
  adamBeta1: real(0.9, 'M', 'Decay of the mean of the gradients in AdamW and Lion.', { least: 0, below: 1 }),
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
    differs: 'the same as one large batch, for every loss',
  }),
  averageTokensAcrossDevices: unused<boolean>(true, 'N', 'One count of labels for all devices.', oneProcess),
  maxGradNorm: real(1, 'M', 'The largest L2 norm of the gradients, which are scaled down to it; 0 or less: no limit.', {
    differs: 'left out, training artifacts are clipped as their optimizer_model.onnx says, perhaps not at all',
  }),
  labelSmoothingFactor: real(0, 'M', 'Share of the target that is spread over all classes.', { least: 0, most: 1 }),

  // Precision, memory
  bf16: flag(false, 'N', 'Products in bfloat16; parameters, gradients, losses and the update stay float32.', {
    differs:
      "only on device 'cuda', and on a CPU with AMX with OpenVINO's plug-in (npx ts-trainer install openvino). " +
      'Evaluation stays float32 without bf16FullEval',
  }),
  fp16: flag(
    false,
    'N',
    'Products in float16, with a loss scale that adapts itself; parameters, gradients, losses and the update stay float32.',
    {
      differs:
        'slower than float32 on a CPU; on WebGPU it takes a driver with shader-f16. Evaluation stays float32 without ' +
        'fp16FullEval',
    },
  ),
  bf16FullEval: flag(false, 'N', 'Evaluation and prediction in bfloat16.', {
    differs: 'only where bf16 works; softmax, normalisations and losses stay float32',
  }),
  fp16FullEval: flag(false, 'N', 'Evaluation and prediction in float16.', {
    differs: 'softmax, normalisations and losses stay float32',
  }),
  tf32: flag<boolean | undefined>(undefined, 'N', 'Products of float32 in TF32 on NVIDIA GPUs.', {
    differs: "only on device 'cuda'; ONNX Runtime's default there is true",
  }),
  activationCheckpointing: flag(false, 'N', 'The later name of gradientCheckpointing: either sets both.', {
    differs: 'refused where both are given and differ; the later name wins there',
  }),
  activationCheckpointingKwargs: unused<undefined>(undefined, '–', 'Options of the same.', reentrant),
  gradientCheckpointing: flag(
    false,
    'N',
    'Compute layers again in the backward pass instead of keeping their results: less memory, more time.',
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
    'ts-trainer trains encoders, which do not have such a cache',
  ),
  neftuneNoiseAlpha: unused<number | undefined>(undefined, 'N', 'Noise on embeddings.', later),
  torchEmptyCacheSteps: unused<number | undefined>(undefined, '–', "How often PyTorch's cache is emptied.", pytorch),
  autoFindBatchSize: flag(
    false,
    'N',
    'After running out of memory, training starts over with perDeviceTrainBatchSize × 0.9, until batches fit.',
    { differs: 'what an attempt has trained is undone, so that the run is that of the smaller size' },
  ),

  // Logging
  loggingStrategy: choice(['no', 'steps', 'epoch'], 'steps', 'M', 'When the training loss is logged.'),
  loggingSteps: real(500, 'M', 'Updates between two logs; below 1, a share of all updates.', { least: 0 }),
  loggingFirstStep: flag(false, 'M', 'Log after the first update too.'),
  logOnEachNode: unused<boolean>(true, 'N', 'Log on every machine.', oneProcess),
  loggingNanInfFilter: flag(true, 'M', 'Leave losses that are not finite out of the logged loss.', {
    differs: "only if onNonFinite is 'continue'; by default such a loss stops the run",
  }),
  includeNumInputTokensSeen: {
    ...choice(
      ['no', 'all', 'non_padding'],
      'no',
      'S',
      "Count the tokens of training, and log the count; true means 'all'.",
    ),
    expects: "true, false, 'no', 'all' or 'non_padding'",
    reads: 'any',
    accepts: value => typeof value === 'boolean' || ['no', 'all', 'non_padding'].includes(value as string),
    normal: given => (given === true ? 'all' : given === false ? 'no' : (given as 'no' | 'all' | 'non_padding')),
  } as Field<boolean | 'no' | 'all' | 'non_padding', 'no' | 'all' | 'non_padding'>,
  logLevel: choice(
    ['detail', 'debug', 'info', 'warning', 'error', 'critical', 'passive'],
    'passive',
    'S',
    "The least important messages to show; 'passive' does not change the level, which is 'warning' by default.",
  ),
  logLevelReplica: unused<string>('warning', '–', 'The same for other processes.', oneProcess),
  disableTqdm: flag(
    undefined,
    'M',
    "Plain lines instead of the progress bar; by default only if logLevel is above 'warning'.",
  ) as Field<boolean, boolean>,
  reportTo: {
    ...list([], 'M', 'Where the run is watched: one of the names, a list of them, or all that can be had here.'),
    expects: "'all', 'none' or names of trackers",
    differs:
      "'tensorboard', 'wandb', 'mlflow', 'trackio', 'jsonl' (lines of JSON) and 'html' (report.html); the others have clients for Python only",
    problem: reportToProblem,
    normal: normalReportTo,
  } as Field<ReportTo | readonly ReportTo[], readonly (TrackerName | 'all')[]>,
  runName: text(undefined, 'S', 'The name of the run for trackers, and in every line of JsonlLogCallback.'),
  project: text('huggingface', 'N', "Trackio's project, and that of W&B where WANDB_PROJECT is not set."),
  trackioSpaceId: unused<string | undefined>(undefined, 'N', "Trackio's Space.", space, ['trackio']),
  trackioBucketId: unused<string | undefined>(undefined, 'N', "Trackio's bucket.", space),
  trackioStaticSpaceId: unused<string | undefined>(undefined, 'N', "Trackio's static Space.", space),

  // Evaluation
  evalStrategy: choice(['no', 'steps', 'epoch'], 'no', 'M', 'When evaluation runs during training.'),
  evalSteps: real(
    undefined,
    'M',
    'Updates between two evaluations; below 1, a share of all updates; loggingSteps by default.',
    { least: 0 },
  ),
  evalDelay: real(0, 'S', 'No evaluation before this many updates (or epochs, by evalStrategy).', { least: 0 }),
  perDeviceEvalBatchSize: whole(8, 'M', 'Rows in a batch of evaluation.', { least: 1 }),
  predictionLossOnly: flag(false, 'M', 'Evaluation returns only the loss.'),
  evalOnStart: flag(false, 'M', 'Evaluate once before the first update.'),
  evalDoConcatBatches: unused<boolean>(true, 'N', 'Predictions in one piece.', later),
  evalUseGatherObject: unused<boolean>(false, '–', 'Gather Python objects of several processes.', oneProcess),
  evalAccumulationSteps: whole(
    1,
    'S',
    'Batches of evaluation after which predictions are moved to the host and joined.',
    { least: 1, differs: '1 by default, so that they never accumulate on a device' },
  ),
  includeForMetrics: list([], 'S', 'What computeMetrics receives besides predictions and labels.', {
    of: ['inputs', 'loss'],
  }),
  batchEvalMetrics: flag(false, 'S', 'Call computeMetrics batch by batch, without keeping the predictions.'),

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
    'Updates between two checkpoints; below 1, a share of all updates; 0 or less: only the last.',
  ),
  saveOnEachNode: unused<boolean>(false, '–', 'Save on every machine.', oneProcess),
  saveTotalLimit: whole(undefined, 'M', 'Checkpoints to keep, always the best and the last; all by default.', {
    differs: 'those of other runs in the folder neither count nor go',
  }),
  enableJitCheckpoint: flag(
    true,
    'S',
    'At SIGTERM, as at Ctrl-C, write a checkpoint and stop; false leaves SIGTERM to Node.',
    { differs: 'true, where Python has false: what was trained is not lost' },
  ),
  pushToHub: flag(false, 'S', 'Push to the Hub while training, and when saveModel() is called.', {
    differs: 'the repository is made when train() begins, not with the Trainer',
  }),
  hubToken: {
    ...text(undefined, 'S', 'Token for the Hub; by default HF_TOKEN, else what npx ts-trainer login has kept.', {
      differs: 'no property that is listed or printed; saved arguments have a placeholder, which is read as none',
    }),
    problem: value =>
      typeof value === 'string' && value !== '' ? undefined : 'hubToken should be a text that is not empty.',
    normal: given => (given === '<HUB_TOKEN>' ? undefined : given),
  } as Field<string, string | undefined>,
  hubPrivateRepo: flag(undefined, 'S', 'Whether a new repository is private; by default what its namespace has.'),
  hubModelId: text(undefined, 'S', 'Repository to push to; by default the last part of outputDir.', {
    problem: repositoryProblem,
  }),
  hubStrategy: choice(
    ['end', 'every_save', 'checkpoint', 'all_checkpoints'],
    'every_save',
    'S',
    "What is pushed when a checkpoint is saved: nothing, the model, or with it the checkpoint as 'last-checkpoint' or " +
      'under its own name.',
    { differs: "what is pushed is not also copied to outputDir; 'last-checkpoint' holds no file of an earlier one" },
  ),
  hubAlwaysPush: flag(false, 'N', 'Push every checkpoint, in order; else of those saved during a push the newest.'),
  hubRevision: text(undefined, 'N', 'Branch to push to, which is made if it is missing.', {
    differs: 'Python wants it to be there',
  }),
  loadBestModelAtEnd: flag(false, 'M', "Load the best checkpoint's weights when training ends.", {
    differs: 'refused without evaluations',
  }),
  metricForBestModel: text(
    undefined,
    'M',
    "The metric that decides which model is best, with or without eval_; 'loss' by default if one is needed.",
  ),
  greaterIsBetter: flag(
    undefined,
    'M',
    'Whether a higher metric is better; by default, unless its name ends in "loss".',
  ),
  ignoreDataSkip: flag(false, 'S', 'Resume without skipping the rows of the epoch that are done.'),
  restoreCallbackStatesFromCheckpoint: flag(true, 'S', "Resume with the callbacks' states in the checkpoint.", {
    differs: 'on by default: else early stopping would count from 0 again',
  }),

  // Data, seeds
  fullDeterminism: unused<boolean>(false, '–', 'Deterministic kernels.', 'runs are always deterministic: leave it out'),
  seed: whole(
    42,
    'M',
    'Seed of dropout and data order; a new model has a seed of its own, fromConfig(config, { seed }).',
    {
      least: 0,
      most: 2 ** 32 - 1,
    },
  ),
  dataSeed: whole(undefined, 'M', 'Seed of the data order alone; seed by default.', { least: 0 }),
  useCpu: flag(false, 'S', 'Train on the CPU.', {
    differs: 'the CPU is the default; device chooses another',
  }),
  acceleratorConfig: unused<undefined>(undefined, '–', 'Options of accelerate.', oneProcess, [
    accelerate,
    { ...accelerate, use_configured_state: false },
  ]),
  parallelismConfig: unused<undefined>(undefined, '–', 'Parallelism of accelerate.', oneProcess),
  dataloaderDropLast: flag(
    false,
    'M',
    "Leave out an epoch's last batch if it is not full; not of a stream, as there.",
    {
      differs: 'a dataset with fewer rows than a batch is refused',
    },
  ),
  dataloaderNumWorkers: unused<number>(0, 'N', 'Worker processes that collate.', workers),
  dataloaderPinMemory: unused<boolean>(true, '–', 'Pinned memory for CUDA; false if useCpu is true.', pytorch),
  dataloaderPersistentWorkers: unused<boolean>(false, '–', 'Keep the workers between epochs.', workers),
  dataloaderPrefetchFactor: unused<number | undefined>(
    undefined,
    'N',
    'Batches that a worker prepares ahead.',
    workers,
  ),
  dataloaderMultiprocessingContext: unused<string | undefined>(undefined, '–', 'How workers are started.', workers),
  dataloaderInOrder: unused<boolean>(true, '–', 'Batches in order, whichever worker is faster.', workers),
  removeUnusedColumns: flag(true, 'M', 'Drop the columns that the model does not take.'),
  labelNames: list(
    undefined,
    'S',
    'The column that is the label, in place of label, label_ids or labels: the first of these names that is there.',
  ),
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
    "The column with the rows' lengths, for group_by_length; without it, lengths are counted.",
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
  doEval: unused<boolean>(false, '–', "A script's switch; true if evalStrategy is not 'no'.", script),
  doPredict: unused<boolean>(false, '–', "A script's switch.", script),
  resumeFromCheckpoint: unused<string | undefined>(
    undefined,
    'N',
    "A script's switch.",
    'it is an option of train(): train({ resumeFromCheckpoint })',
  ),
  localRank: unused<number>(-1, '–', "A launcher's number of this process.", oneProcess),

  // Those of ts-trainer alone
  device: text(
    'cpu' as 'cpu' | 'auto' | 'cuda' | `cuda:${number}` | 'webgpu' | 'dml' | 'coreml' | (string & {}),
    'own',
    "Where the graphs run: 'cpu', 'cuda', 'cuda:1', 'webgpu', 'dml', 'coreml', the name of another provider of the " +
      "library, or 'auto' for the best that works ([devices.md](devices.md)).",
  ),
  library: text(
    undefined,
    'own',
    "Path of the ONNX Runtime library; by default that of install cuda for device 'cuda', else the one that npm installed.",
  ),
  pluginLibrary: text(
    undefined,
    'own',
    "The file of a plug-in provider; device names it and its device, as in 'openvino:cpu'. With bf16, OpenVINO's.",
  ),
  providerOptions: texts('own', "Options of the provider, e.g. { use_tf32: '0' } for CUDA."),
  threads: whole(
    undefined,
    'own',
    'Threads of the CPU provider; by default OMP_NUM_THREADS of the environment, else one per core.',
    { least: 1 },
  ),
  onNonFinite: choice(
    ['error', 'skip', 'continue'],
    'error',
    'own',
    'What to do about a loss or gradient that is not finite: stop the run, skip that update and count it in the ' +
      'logs, or continue as Hugging Face does.',
  ),
} as const satisfies Readonly<Record<string, Field<unknown, unknown>>>

export type ArgumentTable = typeof argumentTable
export type ArgumentName = keyof ArgumentTable

/** The names, in the table's order. */
export const argumentNames = Object.keys(argumentTable) as ArgumentName[]

/** A row of any type. */
export interface ArgumentRow extends Field<unknown, unknown> {
  readonly mark: Mark
}

/** The row of an argument. */
export function argumentRow(name: ArgumentName): ArgumentRow {
  return argumentTable[name] as unknown as ArgumentRow
}

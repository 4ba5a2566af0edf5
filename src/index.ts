/**
 * Hugging Face's Trainer for TypeScript, on ONNX Runtime.
 * @module
 */
export { type ExtraFlag, type ParsedArguments, parseTrainingArguments } from './arguments/commandLine'
export { AutoConfig } from './auto/AutoConfig'
export { AutoModelForSequenceClassification } from './auto/AutoModelForSequenceClassification'
export { AutoTokenizer } from './auto/AutoTokenizer'
export { type ModelOptions, type PretrainedOptions, PreTrainedModel } from './auto/PreTrainedModel'
export { type DifferentiateOptions, differentiate, type Gradients } from './autodiff/backward'
export { withGradients } from './autodiff/withGradients'
export { CallbackHandler, type CallbackOrClass } from './callbacks/CallbackHandler'
export { DefaultFlowCallback } from './callbacks/defaultFlow'
export { EarlyStoppingCallback } from './callbacks/earlyStopping'
export { JsonlLogCallback } from './callbacks/jsonlLog'
export { PrinterCallback } from './callbacks/printer'
export { ProgressCallback } from './callbacks/progress'
export { callbackEvents, type CallbackContext, type CallbackEvent, TrainerCallback } from './callbacks/TrainerCallback'
export { type ControlFlags, TrainerControl } from './callbacks/TrainerControl'
export { type LogEntry, TrainerState } from './callbacks/TrainerState'
export { defaultDataCollator, DefaultDataCollator } from './collators/default'
export type { Batch, Collator } from './collators/Collator'
export { DataCollatorWithPadding, type DataCollatorWithPaddingOptions } from './collators/withPadding'
export { Dataset, DatasetDict } from './data/dataset'
export type { BatchEncoding, Encoding } from './tokenizers/encoding'
export type { TokenizerOptions } from './tokenizers/options'
export type { FilterOptions } from './data/filtering'
export type { MapOptions } from './data/mapping'
export { disableProgressBars, enableProgressBars } from './data/progress'
export { loadDataset, type LoadOptions } from './data/read'
export type { Tokenizer } from './tokenizers/tokenizer'
export { doctor, type DoctorReport, formatDoctor } from './engine/doctor'
export { createEngine, type Engine, type EngineOptions, type Program } from './engine/Engine'
export { type ErrorCode, nearest, TrainerError } from './errors'
export { type Installed, installOpenvino, type InstallOptions } from './install/install'
export { type LogLevel, log, setLogLevel, setLogSink } from './logging'
export { binaryCrossEntropy } from './losses/binaryCrossEntropy'
export { crossEntropy, type CrossEntropyOptions, ignoredIndex } from './losses/crossEntropy'
export type { Loss } from './losses/loss'
export { meanSquaredError } from './losses/meanSquaredError'
export { loadMetric, type Metric } from './metrics/loadMetric'
export type { Metrics } from './metrics/Metrics'
export { type Summary, summarize } from './metrics/summary'
export type { ModelConfig, ProblemType } from './models/config'
export { GraphBuilder } from './onnx/builder'
export { check } from './onnx/check'
export { decode } from './onnx/decode'
export { encode } from './onnx/encode'
export { print } from './onnx/print'
export type { Dimension, Graph, Node, Value } from './onnx/types'
export { adafactor } from './optim/adafactor'
export { adagrad } from './optim/adagrad'
export { adamw } from './optim/adamw'
export { lion } from './optim/lion'
export type { OptimizedParameter, Optimizer, Slot, UpdateSite, Updated } from './optim/Optimizer'
export { rmsprop } from './optim/rmsprop'
export { createSchedule, type Schedule } from './optim/schedules'
export { sgd } from './optim/sgd'
export { type DataType, Tensor } from './tensor'
export type { ComputeMetrics, EvalPrediction, PreprocessLogits } from './training/evaluation'
export type { LossName } from './training/losses'
export type { ModelCardOptions } from './hub/modelCard'
export type {
  DataCollator,
  EvalData,
  EvaluateOptions,
  PredictionOutput,
  TrainData,
  TrainerOptions,
  TrainOptions,
  TrainOutput,
} from './training/options'
export { createProfile, type Phase, type Profile, type ProgramProfile, type Span } from './training/profile'
export type {
  BestRun,
  FinishedTrial,
  SearchBackend,
  SearchDimension,
  SearchOptions,
  SearchSpace,
  Trial,
  TrialValues,
} from './search/search'
export type { OptimizerGroup } from './training/TrainerBase'
export { Trainer } from './Trainer'
export { TrainingArguments, type TrainingArgumentsOptions } from './TrainingArguments'
export type { LossFunction, ModelOutputs } from './TrainingGraph'

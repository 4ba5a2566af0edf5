/**
 * Hugging Face's Trainer for TypeScript, on ONNX Runtime.
 * @module
 */
export { type ExtraFlag, type ParsedArguments, parseTrainingArguments } from './arguments/commandLine'
export type { LabelKind } from './artifacts/artifactLoss'
export type { AdamWArtifact, ArtifactOptimizer, SgdArtifact } from './artifacts/artifactOptimizer'
export { generateArtifacts, type GenerateArtifactsOptions } from './artifacts/generateArtifacts'
export type { ArtifactDialect, ArtifactFiles } from './artifacts/writeArtifacts'
export type { Accumulation } from './artifacts/artifactsModel'
export {
  type ContiguousOptions,
  type SaveCheckpointOptions,
  TrainingArtifacts,
  type TrainingArtifactsOptions,
} from './artifacts/TrainingArtifacts'
export { AutoConfig } from './auto/AutoConfig'
export { AutoModel, type Features, type FromOnnxOptions } from './auto/AutoModel'
export {
  type AutoModelFor,
  AutoModelForMaskedLM,
  AutoModelForMultipleChoice,
  AutoModelForQuestionAnswering,
  AutoModelForSequenceClassification,
  AutoModelForTokenClassification,
} from './auto/autoModels'
export { AutoTokenizer } from './auto/AutoTokenizer'
export { type FolderTask, taskOfFolder } from './auto/taskOfFolder'
export { exportOnnx, type ExportOnnxOptions } from './auto/exportOnnx'
export { TrainableModel } from './auto/TrainableModel'
export type { ModelOptions, PretrainedOptions } from './auto/modelOptions'
export { PreTrainedModel } from './auto/PreTrainedModel'
export { getPeftModel, PeftModel } from './auto/PeftModel'
export type { LoraConfig, PeftTask } from './adapters/LoraConfig'
export type { SourceOptions } from './auto/sources'
export type { HubOptions } from './hub/connection'
export { type DifferentiateOptions, differentiate, type Gradients } from './autodiff/backward'
export { withGradients } from './autodiff/withGradients'
export { CallbackHandler, type CallbackOrClass } from './callbacks/CallbackHandler'
export { DefaultFlowCallback } from './callbacks/defaultFlow'
export { EarlyStoppingCallback } from './callbacks/earlyStopping'
export { HtmlReportCallback, type HtmlReportOptions } from './report/HtmlReportCallback'
export type { EvaluatedBatch } from './callbacks/EvaluatedBatch'
export { JsonlLogCallback } from './callbacks/jsonlLog'
export { PrinterCallback } from './callbacks/printer'
export { ProgressCallback } from './callbacks/progress'
export { type CheckpointPusher, PushToHubCallback } from './callbacks/pushToHub'
export { callbackEvents, type CallbackContext, type CallbackEvent, TrainerCallback } from './callbacks/TrainerCallback'
export { type ControlFlags, TrainerControl } from './callbacks/TrainerControl'
export { type LogEntry, TrainerState } from './callbacks/TrainerState'
export { defaultDataCollator, DefaultDataCollator } from './collators/default'
export type { Collator } from './collators/Collator'
export type { PadOptions } from './collators/padExamples'
export {
  DataCollatorForLanguageModeling,
  type DataCollatorForLanguageModelingOptions,
} from './collators/forLanguageModeling'
export { DataCollatorForMultipleChoice } from './collators/forMultipleChoice'
export {
  DataCollatorForTokenClassification,
  type DataCollatorForTokenClassificationOptions,
} from './collators/forTokenClassification'
export { DataCollatorWithFlattening, type DataCollatorWithFlatteningOptions } from './collators/withFlattening'
export { DataCollatorWithPadding, type DataCollatorWithPaddingOptions } from './collators/withPadding'
export { Dataset, DatasetDict } from './data/dataset'
export type { AddTokensOptions, TokenToAdd } from './tokenizers/addTokens'
export { alignLabels, type AlignLabelsOptions } from './tokenizers/alignLabels'
export type { BatchEncoding, Encoding } from './tokenizers/encoding'
export type { LoadTokenizerOptions } from './tokenizers/files'
export type { TokenizerOptions } from './tokenizers/options'
export type { FilterOptions } from './data/filtering'
export { IterableDataset, IterableDatasetDict } from './data/iterable'
export type { StreamedBatchOptions, StreamedMapOptions, StreamedShuffleOptions } from './data/iterable'
export type { DatasetInfo } from './data/info'
export { getDatasetConfigNames, getDatasetSplitNames } from './data/inspect'
export type { MapOptions } from './data/mapping'
export type { ParquetOptions } from './data/writeParquet'
export {
  type RowFormat,
  type RowsOfStream,
  streamRows,
  type StreamRowsOptions,
  type WrittenRow,
} from './data/streamRows'
export type { PushOptions, PushSplitOptions, PushSplitsOptions } from './data/pushOptions'
export type { UploadedCommit } from './hub/upload'
export { disableProgressBars, enableProgressBars } from './data/progress'
export { loadDataset, type LoadOptions } from './data/read'
export type { DecodeOptions, Tokenizer } from './tokenizers/tokenizer'
export { doctor, type DoctorReport } from './engine/doctor'
export { formatDoctor } from './engine/formatDoctor'
export { createEngine, type Engine, type EngineOptions, type Program } from './engine/Engine'
export { type ErrorCode, nearest, TrainerError } from './errors'
export { pushFolderToHub } from './hub/pushFolder'
export type { PushedCommit, PushToHubOptions } from './hub/pushOptions'
export { installCuda, type InstallCudaOptions, type InstalledCuda } from './install/cuda'
export { type Installed, installOpenvino, type InstallOptions } from './install/install'
export { packageVersion } from './files/packageVersion'
export { writeFileWhole } from './files/writeFile'
export type { ProblemType } from './heads/problemType'
export { type HubAccount, login, logout, type TokenOptions, whoami } from './hub/login'
export { type LogLevel, log, setLogLevel, setLogSink } from './logging'
export { binaryCrossEntropy } from './losses/binaryCrossEntropy'
export { ignoredIndex } from './labelColumn'
export { crossEntropy, type CrossEntropyOptions } from './losses/crossEntropy'
export type { Loss } from './losses/loss'
export type { LossFunction, ModelOutputs } from './losses/LossFunction'
export type { LossName, LossSpelling } from './losses/lossNames'
export { meanSquaredError } from './losses/meanSquaredError'
export {
  type ClassificationReport,
  classificationReport,
  type ClassificationReportOptions,
} from './metrics/classificationReport'
export type { ClassLabel, ClassLabels } from './metrics/classLabels'
export { type ClassPairs, confusionMatrix, type ConfusionMatrixOptions } from './metrics/confusionMatrix'
export type { MetricInput, MetricValues } from './metrics/definition'
export { type EntityReading, getEntities } from './metrics/entities'
export { type ClassNames, entityLabels, type TokenPrediction } from './metrics/entityLabels'
export type { Entity, EntityScheme } from './metrics/entitySchemes'
export { type GlueTask, loadMetric, type Metric, type MetricName, type SeveralValues } from './metrics/loadMetric'
export type { Metrics, MetricValue } from './metrics/Metrics'
export type { Average, MetricOptions } from './metrics/options'
export type {
  ConfusionMetric,
  EntityMetric,
  PerplexityMetric,
  RocAucMetric,
  SquadMetric,
  SquadV2Metric,
} from './metrics/otherMetrics'
export { perplexity, type PerplexityRows } from './metrics/perplexity'
export type { Report, ReportScores } from './metrics/report'
export type { RocAucOptions, RocAucRows } from './metrics/rocAuc'
export {
  type EntityOptions,
  entityReport,
  type EntityReportOptions,
  type EntityRows,
  type EntityScores,
  type TypeScores,
} from './metrics/seqeval'
export type {
  AnswerPrediction,
  AnswerReference,
  AnswerRows,
  NoAnswerOptions,
  SquadScores,
  SquadV2Scores,
} from './metrics/squad'
export { type Summary, summarize } from './metrics/summary'
export type { Values } from './metrics/values'
export type { ModelConfig } from './models/config'
export type { ParameterPattern, ParameterPatterns } from './models/freeze'
export type { ResizeOptions } from './models/resize'
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
export type { Head, HeadTask, LabelFeed, LossOptions } from './heads/Head'
export { ownHead } from './heads/ownChecks'
export type { Encodings, HeadLayers, LabelsOf, OwnHead, OwnLabels, OwnLoss, OwnPredictions } from './heads/OwnHead'
export type { Model, Parameter } from './models/Model'
export { type Batch, type DataType, Tensor } from './tensor'
export type { ComputedMetrics, ComputeMetrics, EvalPrediction, PreprocessLogits } from './training/evaluation'
export type { ModelCardOptions } from './modelCard/modelCard'
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
export type { PendingPush, RepositoryOptions, TrainerPushOptions } from './training/pushOptions'
export { formatMemoryReport, type MemoryReport } from './training/memoryReport'
export { createProfile, type Phase, type Profile, type ProgramProfile, type Span } from './training/profile'
export type { AggregationStrategy, EntityGroup, EntityToken } from './pipelines/entities'
export type { FeatureExtractionOptions, FeatureExtractionPipeline } from './pipelines/featureExtraction'
export type { FilledMask, FillMaskOptions, FillMaskPipeline } from './pipelines/fillMask'
export type { ModelWithTokenizer, NamedTask, PipelineModel } from './pipelines/openModel'
export { pipeline, type PipelineOptions, type Pipelines } from './pipelines/pipeline'
export { pipelineTaskOf } from './pipelines/pipelineTaskOf'
export type { QuestionAnsweringOptions, QuestionAnsweringPipeline } from './pipelines/questionAnswering'
export type { Answer } from './pipelines/spans'
export type {
  ClassifiedText,
  LabelScore,
  TextClassificationOptions,
  TextClassificationPipeline,
  TextPair,
} from './pipelines/textClassification'
export type { TokenClassificationOptions, TokenClassificationPipeline } from './pipelines/tokenClassification'
export { type AnswerOptions, answersOf, type AnswerSources, type FoundAnswer } from './questionAnswering/answersOf'
export {
  squadFeatures,
  type SquadFeatures,
  type SquadOptions,
  type WindowOptions,
  type WindowTokenizer,
} from './questionAnswering/squadFeatures'
export type { Answers, AnswerStarts, SquadColumns } from './questionAnswering/squadRows'
export type { BestRun, SearchOptions } from './search/search'
export { JsonlFileCallback } from './trackers/JsonlFileCallback'
export { MLflowCallback } from './trackers/MLflowCallback'
export { TensorBoardCallback } from './trackers/TensorBoardCallback'
export { TrackioCallback } from './trackers/TrackioCallback'
export { WandbCallback } from './trackers/WandbCallback'
export type { FinishedTrial, SearchBackend } from './search/SearchBackend'
export type { SearchDimension, SearchSpace, Trial, TrialValues } from './search/space'
export { Trainer } from './Trainer'
export {
  layerwiseDecay,
  type LayerwiseDecayOptions,
  type OptimizerGroup,
  type ParameterGroup,
} from './training/parameterGroups'
export { TrainingArguments, type TrainingArgumentsOptions } from './TrainingArguments'
export { wrapWords } from './words'

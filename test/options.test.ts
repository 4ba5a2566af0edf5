import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { filesStage } from '../src/data/iterableStages'
import * as index from '../src/index'
import { functionsWithOptions } from './helpers/optionsOf'
import { makePipelines, pipelineCalls } from './helpers/pipelineCalls'
import { quietTrainer } from './helpers/quietTrainer'
import { temporaryFolder } from './helpers/temporaryFolder'
import { tinyConfig, tinyModel } from './helpers/tinyModel'

/** The package as JavaScript sees it, which has no types to refuse what a function does not take. */
type Untyped = ((...given: unknown[]) => unknown) & { readonly [name: string]: Untyped }
const untyped = (value: unknown): Untyped => value as Untyped
const made = (name: string, ...given: unknown[]): unknown =>
  Reflect.construct((index as unknown as Record<string, new () => unknown>)[name]!, given)
const library = untyped(index)

const folder = fileURLToPath(new URL('fixtures/models/base-bert', import.meta.url))
const words = fileURLToPath(new URL('fixtures/data/bert-tiny', import.meta.url))
const artifactsFolder = fileURLToPath(new URL('fixtures/onnx/artifacts/mlp-l1', import.meta.url))
const rows = [{ input_ids: [1, 2], label: 0 }]
const dataset = untyped(index.Dataset.fromRows(rows))
const splits = untyped(new index.DatasetDict({ train: index.Dataset.fromRows(rows) }))
const stream = untyped(new index.IterableDataset(filesStage([], undefined)))
const model = untyped(tinyModel())
const adapted = untyped(index.getPeftModel(tinyModel()))

let tokenizer: Untyped
let pipelines: index.Pipelines
let artifacts: Untyped
let trainer: index.Trainer
let engine: index.Engine
let program: Untyped

function identity(): index.Graph {
  const graph = new index.GraphBuilder('identity')
  return graph.build({ y: graph.neg(graph.input('x', 'float32', [1])) })
}

beforeAll(async () => {
  tokenizer = untyped(await index.AutoTokenizer.fromPretrained(words))
  artifacts = untyped(await index.TrainingArtifacts.fromPretrained(artifactsFolder))
  const args = { outputDir: temporaryFolder() }
  trainer = quietTrainer({ modelInit: tinyModel, args, trainDataset: rows, evalDataset: rows })
  engine = await index.createEngine({ threads: 1 })
  program = untyped(await engine.load(index.encode(identity()).model))
  pipelines = await makePipelines(tokenizer as unknown as index.Tokenizer)
})

afterAll(async () => {
  await trainer.dispose()
  for (const one of Object.values(pipelines)) await one.dispose()
  engine.dispose()
})

/** Within `hpSpace` of a search: what a trial makes of it. */
const suggested = (suggest: (trial: Untyped) => unknown): unknown =>
  trainer.hyperparameterSearch({ nTrials: 1, hpSpace: trial => suggest(untyped(trial)) as index.TrialValues })

/** How each function that takes options is called with them; the names are those of `functionsWithOptions`. */
const calls: Readonly<Record<string, (options: object) => unknown>> = {
  'parseTrainingArguments/1': options => library.parseTrainingArguments!([], options),
  'AutoConfig.fromPretrained/1': options => library.AutoConfig!.fromPretrained!(folder, options),
  'AutoTokenizer.fromPretrained/1': options => library.AutoTokenizer!.fromPretrained!(words, options),
  'AutoModel.fromOnnx/1': options => library.AutoModel!.fromOnnx!('forward.onnx', options),
  'generateArtifacts/1': options => library.generateArtifacts!(tinyModel(), options),
  'AutoModelFor#fromPretrained/1': options =>
    library.AutoModelForSequenceClassification!.fromPretrained!(folder, options),
  'AutoModelFor#fromConfig/1': options => library.AutoModelForSequenceClassification!.fromConfig!(tinyConfig, options),
  ...Object.fromEntries(
    [
      '',
      'ForMaskedLM',
      'ForMultipleChoice',
      'ForQuestionAnswering',
      'ForSequenceClassification',
      'ForTokenClassification',
    ].flatMap(task => {
      const auto = library[`AutoModel${task}`]!
      return [
        [`AutoModel${task}.fromPretrained/1`, (options: object) => auto.fromPretrained!(folder, options)],
        [`AutoModel${task}.fromConfig/1`, (options: object) => auto.fromConfig!(tinyConfig, options)],
      ]
    }),
  ),
  'TrainableModel#pushToHub/1': options => model.pushToHub!('name', options),
  'PreTrainedModel#pushToHub/1': options => model.pushToHub!('name', options),
  'layerwiseDecay/1': options => library.layerwiseDecay!(model, options),
  'ownHead/0': options => library.ownHead!(options),
  'getPeftModel/1': options => library.getPeftModel!(model, options),
  'PeftModel.fromPretrained/2': options => library.PeftModel!.fromPretrained!(model, 'nowhere', options),
  'PeftModel#numParameters/0': options => adapted.numParameters!(options),
  'PeftModel#pushToHub/1': options => adapted.pushToHub!('name', options),
  'TrainingArtifacts.fromPretrained/1': options => library.TrainingArtifacts!.fromPretrained!(artifactsFolder, options),
  'TrainingArtifacts#getContiguousParameters/0': options => artifacts.getContiguousParameters!(options),
  'TrainingArtifacts#loadParameters/1': options => artifacts.loadParameters!(new Float32Array(1), options),
  'TrainingArtifacts#saveCheckpoint/1': options =>
    artifacts.saveCheckpoint!(`${temporaryFolder()}/checkpoint`, options),
  'TrainingArtifacts#numParameters/0': options => artifacts.numParameters!(options),
  'TrainingArtifacts#pushToHub/1': options => artifacts.pushToHub!('name', options),
  'Tokenizer#pushToHub/1': options => tokenizer.pushToHub!('name', options),
  'exportOnnx/2': options => library.exportOnnx!(model, 'nowhere', options),
  'pushFolderToHub/2': options => library.pushFolderToHub!(folder, 'name', options),
  'taskOfFolder/1': options => library.taskOfFolder!(folder, options),
  'pipelineTaskOf/1': options => library.pipelineTaskOf!(folder, options),
  'streamRows/1': options => (library.streamRows!([], options) as unknown as AsyncGenerator).next(),
  'Trainer#pushToHub/0': options => trainer.pushToHub(options),
  'Trainer#initHfRepo/0': options => trainer.initHfRepo(options),
  'TrainableModel#numParameters/0': options => model.numParameters!(options),
  'PreTrainedModel#resizeTokenEmbeddings/1': options => model.resizeTokenEmbeddings!(30, options),
  'PreTrainedModel#numParameters/0': options => model.numParameters!(options),
  'pipeline/2': options => library.pipeline!('ner', folder, options),
  ...pipelineCalls(task => untyped(pipelines[task])),
  'differentiate/3': options => library.differentiate!(new index.GraphBuilder('none'), {}, [], options),
  'HtmlReportCallback/0': options => made('HtmlReportCallback', options),
  'EarlyStoppingCallback/0': options => made('EarlyStoppingCallback', options),
  'PrinterCallback/0': options => made('PrinterCallback', options),
  'ProgressCallback/0': options => made('ProgressCallback', options),
  'TrainerControl#take/0': options => untyped(new index.TrainerControl()).take!(options, 'onLog'),
  'TrainerState/0': options => made('TrainerState', options),
  ...Object.fromEntries(
    ['WithPadding', 'ForLanguageModeling', 'ForMultipleChoice', 'ForTokenClassification'].flatMap(kind => {
      const name = `DataCollator${kind}`
      return [
        [`${name}/0`, (options: object) => library[name]!({ tokenizer, ...options })],
        [`${name}/1`, (options: object) => made(name, tokenizer, options)],
      ]
    }),
  ),
  'DataCollatorWithFlattening/0': options => library.DataCollatorWithFlattening!(options),
  'answersOf/1': options => library.answersOf!({ predictions: [[], []], features: [], examples: [] }, options),
  'squadFeatures/2': options => library.squadFeatures!({ question: [], context: [] }, tokenizer, options),
  'Dataset#map/1': options => dataset.map!(() => ({}), options),
  'Dataset#filter/1': options => dataset.filter!(() => true, options),
  'Dataset#shuffle/0': options => dataset.shuffle!(options),
  'Dataset#trainTestSplit/0': options => dataset.trainTestSplit!(options),
  'Dataset#toParquet/1': options => dataset.toParquet!('never.parquet', options),
  'Dataset#pushToHub/1': options => dataset.pushToHub!('a/b', options),
  'DatasetDict#pushToHub/1': options => splits.pushToHub!('a/b', options),
  'IterableDataset#map/1': options => stream.map!(() => ({}), options),
  'IterableDataset#shuffle/0': options => stream.shuffle!(options),
  'IterableDataset#batch/1': options => stream.batch!(2, options),
  'DatasetDict#map/1': options => splits.map!(() => ({}), options),
  'DatasetDict#filter/1': options => splits.filter!(() => true, options),
  'DatasetDict#shuffle/0': options => splits.shuffle!(options),
  'loadDataset/1': options => library.loadDataset!(words, options),
  'loadDataset/2': options => library.loadDataset!(words, 'default', options),
  'getDatasetConfigNames/1': options => library.getDatasetConfigNames!(words, options),
  'getDatasetSplitNames/2': options => library.getDatasetSplitNames!(words, undefined, options),
  'Tokenizer/1': options => tokenizer('text', options),
  'Tokenizer/2': options => tokenizer('text', 'pair', options),
  'Tokenizer#tokenize/2': options => tokenizer.tokenize!('text', undefined, options),
  'Tokenizer#encode/2': options => tokenizer.encode!('text', undefined, options),
  'Tokenizer#addTokens/0': options => tokenizer.addTokens!({ content: 'x', ...options }),
  'Tokenizer#addTokens/1': options => tokenizer.addTokens!([], options),
  'Tokenizer#decode/1': options => tokenizer.decode!([1], options),
  'Tokenizer#batchDecode/1': options => tokenizer.batchDecode!([], options),
  'Tokenizer#pad/1': options => tokenizer.pad!(rows, options),
  'alignLabels/2': options => library.alignLabels!([0], [1], options),
  'createEngine/0': options => library.createEngine!(options),
  'Engine#load/1': options => untyped(engine).load!(index.encode(identity()).model, options),
  'Program#run/2': options => program.run!({ x: index.Tensor.zeros('float32', [1]) }, {}, options),
  'login/0': options => library.login!(options),
  'whoami/0': options => library.whoami!(options),
  'installCuda/0': options => library.installCuda!(options),
  'installOpenvino/0': options => library.installOpenvino!(options),
  'crossEntropy/3': options => library.crossEntropy!(new index.GraphBuilder('none'), {}, {}, options),
  'Metric#compute/0': options => untyped(index.loadMetric('accuracy')).compute!({ ...options }),
  ...Object.fromEntries(
    [
      ['EntityMetric', 'seqeval'],
      ['SquadV2Metric', 'squad_v2'],
      ['RocAucMetric', 'roc_auc'],
      ['ConfusionMetric', 'confusion_matrix'],
    ].map(([type, name]) => [
      `${type}#compute/0`,
      (options: object) => untyped(index.loadMetric(name!)).compute!({ ...options }),
    ]),
  ),
  'classificationReport/2': options => library.classificationReport!([0, 1], [0, 1], options),
  'confusionMatrix/2': options => library.confusionMatrix!([0, 1], [0, 1], options),
  'entityReport/2': options => library.entityReport!([['O']], [['O']], options),
  'getEntities/1': options => library.getEntities!(['O'], options),
  'GraphBuilder#gemm/3': options => untyped(new index.GraphBuilder('none')).gemm!({}, {}, undefined, options),
  'encode/1': options => library.encode!(identity(), options),
  'adafactor/0': options => library.adafactor!(options),
  'adagrad/0': options => library.adagrad!(options),
  'adamw/0': options => library.adamw!(options),
  'lion/0': options => library.lion!(options),
  'rmsprop/0': options => library.rmsprop!(options),
  'sgd/0': options => library.sgd!(options),
  'createSchedule/0': options => library.createSchedule!({ type: 'constant', baseRate: 1, ...options }),
  'createProfile/0': options => library.createProfile!(options),
  'Trial#suggestFloat/3': options => suggested(trial => ({ learningRate: trial.suggestFloat!('rate', 1, 2, options) })),
  'Trial#suggestInt/3': options => suggested(trial => ({ seed: trial.suggestInt!('seed', 1, 2, options) })),
  'Trainer/0': options => made('Trainer', { model: tinyModel(), ...options }),
  'Trainer#train/0': options => trainer.train(options),
  'Trainer#hyperparameterSearch/0': options => trainer.hyperparameterSearch(options),
  'Trainer#evaluate/1': options => trainer.evaluate(undefined, options),
  'Trainer#predict/1': options => trainer.predict(rows, options),
  'Trainer#createModelCard/0': options => quietTrainer({ model: tinyModel(), args: {} }).createModelCard(options),
  'TrainingArguments/0': options => made('TrainingArguments', options),
  'TrainingArguments#with/0': options => untyped(new index.TrainingArguments()).with!(options),
}

/** What takes something like options, and why it is not asked. */
const others: Readonly<Record<string, string>> = {
  'TrainerError/2': 'it is what is thrown, and checks nothing lest it throw something else',
}

const functions = functionsWithOptions().filter(({ name }) => others[name] === undefined)

async function refusal(call: () => unknown): Promise<unknown> {
  try {
    return await call()
  } catch (error) {
    return error
  }
}

describe('a function that takes options', () => {
  it('is in the table of calls, and the table has no others', () => {
    expect(functions.map(({ name }) => name).toSorted()).toEqual(Object.keys(calls).toSorted())
  })

  it.each(functions.map(({ name, options }) => [name, options] as const))(
    '%s refuses one that it does not have, and names the nearest',
    async (name, [first]) => {
      const call = calls[name]!
      const slip = await refusal(() => call({ [`${first}x`]: 1 }))
      expect(slip).toBeInstanceOf(index.TrainerError)
      expect((slip as Error).message).toContain(`${first}x`)
      expect((slip as Error).message).toMatch(new RegExp(`Did you mean ["'\`]?${first}["'\`]?\\?`))
      const foreign = await refusal(() => call({ zzzzzzzz: 1 }))
      expect(foreign).toBeInstanceOf(index.TrainerError)
      expect((foreign as Error).message).toContain('zzzzzzzz')
    },
  )

  // what has none here, though Python's has some
  it.each<[string, () => unknown]>([
    ['AutoTokenizer.fromPretrained', () => library.AutoTokenizer!.fromPretrained!(words, {}, { useFast: false })],
    ['savePretrained of a model', () => model.savePretrained!(temporaryFolder(), { safeSerialization: false })],
    ['savePretrained of a tokenizer', () => tokenizer.savePretrained!(temporaryFolder(), { legacyFormat: true })],
    ['DefaultDataCollator', () => library.DefaultDataCollator!({ returnTensors: 'np' })],
    ['Dataset.select', () => dataset.select!([0], { keepInMemory: true })],
    ['Dataset.fromRows', () => untyped(index.Dataset).fromRows!(rows, { features: {} })],
    ['renameColumn', () => dataset.renameColumn!('label', 'labels', { keepInMemory: true })],
    ['renameColumn of splits', () => splits.renameColumn!('label', 'labels', { keepInMemory: true })],
    ['removeColumns', () => dataset.removeColumns!('label', { keepInMemory: true })],
    ['selectColumns of splits', () => splits.selectColumns!('label', { keepInMemory: true })],
    ['classEncodeColumn', () => dataset.classEncodeColumn!('label', undefined, { includeNulls: true })],
    ['classEncodeColumn of splits', () => splits.classEncodeColumn!('label', undefined, { includeNulls: true })],
    ['pushToHub of a model', () => model.pushToHub!('name', {}, { useTempDir: true })],
    ['pushToHub of a tokenizer', () => tokenizer.pushToHub!('name', {}, { useTempDir: true })],
    ['saveModel', () => untyped(trainer).saveModel!(temporaryFolder(), { internalCall: true })],
    ['loadMetric', () => library.loadMetric!('f1', 'multilabel', { average: 'macro' })],
    ['summarize', () => library.summarize!([1, 2], { ddof: 0 })],
    ['addBatch', () => untyped(index.loadMetric('f1')).addBatch!({ predictions: [1], references: [1] }, {})],
  ])('%s has none, and says so', async (_, call) => {
    const error = await refusal(call)
    expect(error).toBeInstanceOf(index.TrainerError)
    expect((error as Error).message).toMatch(/has no options|nothing else|have no options/)
  })

  it('AutoTokenizer has options, and properties that are none', async () => {
    const load = (options: object): unknown => library.AutoTokenizer!.fromPretrained!(words, options)
    await expect(load({ modelMaxLength: 128 })).rejects.toThrow(/no option of .* Set tokenizer\.modelMaxLength/)
    await expect(load({ addPrefixSpace: 1 })).rejects.toThrow('addPrefixSpace is 1; true or false was expected')
  })

  it('fromConfig() reads no weights, and a seed is a whole number', () => {
    const fromConfig = library.AutoModelForSequenceClassification!.fromConfig!
    expect(() => fromConfig(tinyConfig, { ignoreMismatchedSizes: true })).toThrow(
      'fromConfig() has no option "ignoreMismatchedSizes"',
    )
    for (const seed of ['x', 1.5, null, NaN])
      expect(() => fromConfig(tinyConfig, { seed })).toThrow('The seed of a model has to be a whole number, not ')
    expect(() => fromConfig(tinyConfig, { seed: -1 })).not.toThrow()
  })
})

// files and adapters of a model with a head of the user's own, and what of it is frozen
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import {
  AutoModel,
  AutoModelForTokenClassification,
  getPeftModel,
  ownHead,
  PeftModel,
  pipeline,
  type Tensor,
} from '../../src/index'
import { logMessages } from '../helpers/logMessages'
import { quietTrainer } from '../helpers/quietTrainer'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { loadSlots, loadTriage, oracleOf, shortRun, slots, triage, triageRows } from './ownHeads'

const messages = logMessages('warning')

describe('files', () => {
  it.each([
    { name: 'bert-triage', load: loadTriage },
    { name: 'distilbert-slots', load: loadSlots },
  ] as const)(
    '$name exports its outputs by name, and onnxruntime-node computes what PyTorch does',
    async ({ name, load }) => {
      const folder = temporaryFolder()
      await (await load()).savePretrained(folder)
      const { batch, outputs } = oracleOf(name)
      const session = await InferenceSession.create(join(folder, 'onnx/model.onnx'))
      const feeds = session.inputNames.map(input => {
        const { data, dims } = batch[input]!
        return [input, new RuntimeTensor('int64', BigInt64Array.from(data as Int32Array, BigInt), dims)] as const
      })
      const found = await session.run(Object.fromEntries(feeds))
      expect(Object.keys(found).toSorted()).toEqual(Object.keys(outputs).toSorted())
      for (const [output, { shape, data }] of Object.entries(outputs)) {
        expect(found[output]!.dims).toEqual(shape)
        const given = found[output]!.data as Float32Array
        data.forEach((value, at) => expect(given[at]).toBeCloseTo(value as number, 4))
      }
      await session.release()
    },
  )

  it('open without the head too: the encoder with the head of a task', async () => {
    const folder = temporaryFolder()
    await (await loadSlots()).savePretrained(folder)
    messages.length = 0
    const model = await AutoModelForTokenClassification.fromPretrained(folder, { numLabels: 5 })
    expect(messages.join()).toMatch(/not initialized.*'classifier.bias', 'classifier.weight'/)
    const query = 'distilbert.transformer.layer.0.attention.q_lin.weight'
    expect(model.parameter(query).data).toEqual((await loadSlots()).parameter(query).data)
  })
})

describe('adapters and freezing', () => {
  it('saves the whole head with an adapter, which opens again with it', async () => {
    const folder = temporaryFolder()
    const base = await loadTriage()
    const model = getPeftModel(base, { r: 2, targetModules: ['query', 'value'] })
    expect(model.definition.parameters.filter(({ trainable }) => trainable).map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'urgency_dense.weight',
        'urgency_norm.weight',
        'topic.bias',
        'urgency.weight',
        'flags.weight',
      ]),
    )
    const trainer = quietTrainer({
      model,
      args: shortRun({
        maxSteps: 4,
        learningRate: 0.05,
        saveStrategy: 'steps',
        saveSteps: 2,
        loadBestModelAtEnd: false,
      }),
      trainDataset: triageRows,
    })
    await trainer.train()
    const { predictions } = await trainer.predict(triageRows)
    await model.savePretrained(folder)
    const adapter = JSON.parse(readFileSync(join(folder, 'adapter_config.json'), 'utf8')) as Record<string, unknown>
    expect(adapter).toMatchObject({
      task_type: null,
      modules_to_save: ['urgency_dense', 'urgency_norm', 'topic', 'urgency', 'flags'],
    })
    const again = await AutoModel.fromPretrained(folder, { head: triage })
    expect(again).toBeInstanceOf(PeftModel)
    for (const opened of [again, model.mergeAndUnload()]) {
      const other = quietTrainer({ model: opened, args: shortRun() })
      const { predictions: same } = await other.predict(triageRows)
      expectNear(same.topic, predictions.topic)
      expectNear(same.urgency, predictions.urgency)
      await other.dispose()
    }
    await trainer.dispose()
  })

  it('has linear layers that are adapted where targetModules says so, and kept out of all-linear', async () => {
    const all = getPeftModel(await loadTriage(), { targetModules: 'all-linear' })
    expect([...all.parameters.keys()].filter(name => /^(topic|urgency_dense)\..*lora/.test(name))).toEqual([])
    const some = getPeftModel(await loadTriage(), { targetModules: ['query', 'flags'], modulesToSave: ['topic'] })
    expect(some.parameters.has('flags.lora_A.weight')).toBe(true)
  })

  it('refuses to save a part of the encoder in the place of a layer', async () => {
    const head = ownHead({
      ...slots,
      outputs: (encoded, { linear }) => ({
        intent: linear('out_lin', encoded.first(), 4),
        slots: linear('slots', encoded.tokens(), 5),
      }),
    })
    const { config: own } = await loadSlots()
    expect(() => getPeftModel(AutoModel.fromConfig(own, { head }))).toThrow(
      /The layer "out_lin" of DistilBertForSlots is called as the end of "distilbert\.transformer.*attention\.out_lin"/,
    )
  })

  it('and the folder are opened with the head, which errors without it say', async () => {
    const [folder, adapter] = [temporaryFolder(), temporaryFolder()]
    const model = await loadTriage()
    await model.savePretrained(folder)
    await getPeftModel(await AutoModel.fromPretrained(folder, { head: triage })).savePretrained(adapter)
    await expect(AutoModel.fromPretrained(adapter)).rejects.toThrow(
      /modules_to_save names ".*", but no part of BertModel ends in it\. Is it .* AutoModel\.fromPretrained\(folder, \{ head \}\)/,
    )
    await expect(pipeline('text-classification', folder)).rejects.toThrow(
      /its config\.json says BertForTriage\. A head of your own has no pipeline: .*\{ head \}\), and call trainer\.predict\(\)/,
    )
    await expect(AutoModelForTokenClassification.fromPretrained(folder, { head: triage } as never)).rejects.toThrow(
      'it has no option "head". For a head of your own: AutoModel.fromPretrained(folder, { head }).',
    )
  })

  it('freezes by name, and trains the head alone', async () => {
    const model = await loadTriage()
    model.freeze('bert')
    const start = Array.from(model.parameter('bert.encoder.layer.1.output.dense.weight').data)
    const trainer = quietTrainer({
      model,
      args: shortRun({ maxSteps: 2, learningRate: 0.1 }),
      trainDataset: triageRows,
    })
    await trainer.train()
    expect(Array.from(model.parameter('bert.encoder.layer.1.output.dense.weight').data)).toEqual(start)
    expect(model.parameter('topic.weight').data).not.toEqual((await loadTriage()).parameter('topic.weight').data)
    await trainer.dispose()
  })
})

function expectNear(given: Tensor, expected: Tensor): void {
  expect(given.dims).toEqual(expected.dims)
  given.data.forEach((value: number | bigint, at: number) =>
    expect(Number(value)).toBeCloseTo(Number(expected.data[at]), 4),
  )
}

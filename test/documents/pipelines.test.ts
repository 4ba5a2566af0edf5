// every program of docs/pipelines.md is run, on small models with random weights
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  AutoModelForQuestionAnswering,
  AutoModelForSequenceClassification,
  AutoModelForTokenClassification,
  AutoTokenizer,
  setLogLevel,
} from 'ts-trainer'
import { texts } from '../../scripts/examples/rows'
import { writeModel } from '../../scripts/examples/run'
import { printedBy, programFolder } from '../helpers/snippets'
import { pipelines, written } from './programs'

setLogLevel('error')

const folder = programFolder('pipelines')
const programs = written(pipelines, folder)

const number = expect.any(Number) as number
const label = { label: expect.stringMatching(/^(bad|good)$/) as string, score: number }
const span = { score: number, start: number, end: number }
const entity = expect.objectContaining({ entity: expect.any(String) as string, index: number, ...span }) as object
const group = expect.objectContaining({ entity_group: expect.any(String) as string, ...span }) as object
const answer = { answer: expect.any(String) as string, ...span }
const filled = {
  score: number,
  token: number,
  token_str: expect.any(String) as string,
  sequence: expect.any(String) as string,
}

/** What a program prints, call by call. */
const printed: Readonly<Record<string, readonly unknown[]>> = {
  'Classes of texts': [
    [label],
    [label, label],
    [
      [label, label],
      [label, label],
    ],
    [label],
  ],
  'Entities in texts': [
    expect.arrayContaining([entity]),
    expect.arrayContaining([group]),
    expect.arrayContaining([entity]),
  ],
  'Answers to questions': [
    answer,
    [
      [answer, answer, answer],
      [answer, answer, answer],
    ],
  ],
  'Hidden words': [
    [filled, filled, filled, filled, filled],
    [
      [filled, filled],
      [filled, filled],
    ],
    [filled, filled],
  ],
  'Vectors of texts': [
    [2, 64],
    [1, number, 64],
  ],
  'Calls at once': [64],
}

describe('docs/pipelines.md', () => {
  beforeAll(async () => {
    const bert = join(folder, 'bert')
    await writeModel(
      { texts: [...texts(), { text: 'a stone in the garden . where is it ? what left riga ines' }] },
      bert,
    )
    const tokenizer = await AutoTokenizer.fromPretrained(bert)
    const config = { initializer_range: 0.5 }
    const models = {
      reviews: await AutoModelForSequenceClassification.fromPretrained(bert, { id2label: ['bad', 'good'] }),
      ner: await AutoModelForTokenClassification.fromPretrained(bert, {
        id2label: ['B-PER', 'I-PER', 'B-LOC'],
        config,
      }),
      squad: await AutoModelForQuestionAnswering.fromPretrained(bert),
    }
    for (const [name, model] of Object.entries(models)) {
      await model.savePretrained(join(folder, name))
      await tokenizer.savePretrained(join(folder, name))
    }
  })

  it('has programs that are all run', () => {
    expect(programs.map(({ title }) => title)).toEqual(Object.keys(printed))
  })

  it.each(programs)('$title: runs', async ({ title, file }) => {
    expect((await printedBy(file, folder)).map(([first]) => first)).toEqual(printed[title])
  })
})

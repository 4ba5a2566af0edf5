import { join } from 'node:path'
import { AutoTokenizer, type PreTrainedModel } from '../../src/index'
import { temporaryFolder } from './temporaryFolder'
import { tinyModel } from './tinyModel'

const words = join(import.meta.dirname, '../fixtures/data/bert-tiny')

/** The folder of a model with its tokenizer, as a Trainer saves both: a classifier of bad, good and meh unless given. */
export async function savedFolder(model?: PreTrainedModel<unknown>): Promise<string> {
  const tokenizer = await AutoTokenizer.fromPretrained(words)
  const fields = { vocab_size: tokenizer.length }
  const folder = join(temporaryFolder(), 'model')
  await (model ?? tinyModel(fields, { id2label: ['bad', 'good', 'meh'] })).savePretrained(folder)
  await tokenizer.savePretrained(folder)
  return folder
}

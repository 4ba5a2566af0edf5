import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { AutoModelForSequenceClassification } from '../../src/auto/autoModels'
import { oracleModel } from '../helpers/oracleModels'
import { temporaryFolder } from '../helpers/temporaryFolder'

it('a saved model comes back with its weights and config, whatever else is in the folder', async () => {
  const folder = temporaryFolder()
  const model = await oracleModel('bert', { id2label: { 0: 'no', 1: 'perhaps', 2: 'yes' } })
  writeFileSync(join(folder, 'notes.txt'), 'mine')
  await model.savePretrained(folder)
  expect(readdirSync(folder, { recursive: true }).toSorted()).toEqual([
    'config.json',
    'model.safetensors',
    'notes.txt',
    'onnx',
    join('onnx', 'model.onnx'),
  ])
  const found = await AutoModelForSequenceClassification.fromPretrained(folder)
  expect(found.config).toEqual(model.config)
  expect(found.parameters).toEqual(model.parameters)
  await expect(model.savePretrained(join(folder, 'notes.txt'))).rejects.toMatchObject({
    name: 'TrainerError',
    code: 'file',
  })
})

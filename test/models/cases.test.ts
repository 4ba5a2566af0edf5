import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Plain } from '../../scripts/reference/plainTensor'
import { describeVerdict } from '../../scripts/reference/compare'
import { checkModelCase } from '../../scripts/reference/modelCases'
import { modelFromFolder } from '../../src/auto/PreTrainedModel'
import { setLogSink } from '../../src/logging'
import type { ModelConfig } from '../../src/models/config'
import { architectures } from '../../src/models/registry'
import { labelCount } from '../../src/models/labels'
import { sequenceClassification } from '../../src/heads/sequenceClassification'
import type { Tensor } from '../../src/tensor'
import { compute, norm } from '../helpers/compute'
import { batchOf, fixtures, type OracleCase, readJson, tensorOf } from '../helpers/oracle'
import { definitionOf, familyNames } from '../helpers/oracleModels'

const folders = (file: string): string[] => readdirSync(fixtures).filter(name => existsSync(join(fixtures, name, file)))

describe('a forward and backward pass gives what PyTorch gives', () => {
  // any folder with a case.json is a test
  it.each(folders('case.json'))('%s', async name => {
    const { verdict } = await checkModelCase(join(fixtures, name))
    expect(verdict.kind, describeVerdict(name, verdict)).toBe('passed')
  })

  it('for every family and every kind of label', () => {
    const classifiers = folders('case.json').filter(name => !name.startsWith('task-'))
    const found = classifiers.map(name => {
      const config = readJson<ModelConfig>(name, 'config.json')
      return {
        family: config.model_type,
        kind: sequenceClassification(labelCount(config), config.problem_type ?? undefined).decided(
          batchOf(readJson<OracleCase>(name, 'case.json').inputs),
        ).problemType,
      }
    })
    expect([...new Set(found.map(({ family }) => family))].toSorted()).toEqual(familyNames.toSorted())
    expect([...new Set(found.map(({ kind }) => kind))].toSorted()).toEqual([
      'multi_label_classification',
      'regression',
      'single_label_classification',
    ])
  })
})

describe('the other heads', () => {
  it('have a case for every family', () => {
    const found = new Set(folders('case.json').map(name => readJson<ModelConfig>(name, 'config.json').architectures))
    const classes = Object.values(architectures).flatMap(({ heads }) =>
      Object.values(heads).map(head => head.className),
    )
    expect([...found].flatMap(names => names as string[]).toSorted()).toEqual(
      expect.arrayContaining(classes.toSorted()),
    )
  })
})

describe("an encoder's own checkpoint loads into a classifier", () => {
  it.each(folders('base.json'))('%s', async name => {
    const config = readJson<ModelConfig>(name, 'config.json')
    const { head, ...oracle } = readJson<OracleCase & { head: Record<string, Plain> }>(name, 'base.json')
    const messages: string[] = []
    setLogSink((_level, message) => void messages.push(message))
    const model = await modelFromFolder(join(fixtures, name), config)
    expect(messages).toHaveLength(1)
    const quoted = Object.keys(head)
      .toSorted()
      .map(parameter => `'${parameter}'`)
      .join(', ')
    expect(messages[0]).toContain(`Some weights of ${definitionOf(config).name} were not initialized`)
    expect(messages[0]).toContain(`[${quoted}]`)

    // with the oracle's head in the place of the random one, everything is as in PyTorch
    for (const [parameter, plain] of Object.entries(head))
      model.parameters.set(parameter, tensorOf(plain) as Tensor<'float32'>)
    const { loss, count, gradients } = await compute(model, [batchOf(oracle.inputs)])
    expect(Math.abs(loss / count - oracle.loss)).toBeLessThan(1e-5 * oracle.loss)
    const largest = Math.max(...Object.values(oracle.gradients).map(g => g?.norm ?? 0))
    for (const [parameter, expected] of Object.entries(oracle.gradients)) {
      if (expected === null) continue
      expect(Math.abs(norm(gradients.get(parameter)!) / count - expected.norm), parameter).toBeLessThanOrEqual(
        Math.max(1e-4 * expected.norm, 2e-6 * largest),
      )
    }
  })
})

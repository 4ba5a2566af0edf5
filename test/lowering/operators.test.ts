// nodes of other programs, written in our operators: ONNX Runtime's outputs and PyTorch's gradients
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'vitest'
import { expectNodeCase, type NodeCase } from './nodeCase'

const file = process.env['OPERATOR_CASES'] ?? join(import.meta.dirname, '../fixtures/onnx/operators.json')
const cases = JSON.parse(readFileSync(file, 'utf8')) as NodeCase[]

describe('an operator of another program', () => {
  for (const [at, given] of cases.entries()) {
    const { op, opset, attributes, title = '' } = given
    it(`${at}: ${op} of opset ${opset} ${JSON.stringify(attributes)} ${title}`, () => expectNodeCase(given))
  }
})

import { describe, expect, it } from 'vitest'
import { gradients } from '../../src/autodiff/gradients'
import type { OpName } from '../../src/onnx/operators'
import { checkGradients } from '../helpers/checkGradients'
import { cases } from './cases'
import { portableBreach } from './portable'

describe('the table of gradients', () => {
  for (const op of Object.keys(gradients) as OpName[]) {
    describe(op, () => {
      it('has a case', () => expect(cases[op].length).toBeGreaterThan(0))
      for (const { title, build, inputs, ...options } of cases[op]) {
        it(title, () => {
          for (const { graph } of checkGradients(build, inputs, options)) {
            expect(graph.nodes.filter((node) => node.name.startsWith('backward/')).flatMap(portableBreach)).toEqual([])
          }
        })
      }
    })
  }
})

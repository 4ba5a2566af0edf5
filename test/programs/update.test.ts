import { expect, it } from 'vitest'
import { check } from '../../src/onnx/check'
import { adamw } from '../../src/optim/adamw'
import { lion } from '../../src/optim/lion'
import { sgd } from '../../src/optim/sgd'
import { updateGraph } from '../../src/programs/update'

const parameter = { name: 'p', shape: [2, 3] }

it.each([adamw(), lion(), sgd({ momentum: 0.9 })])(
  'the update of $name is the same rule for a flat parameter of any length and for one of its own shape',
  optimizer => {
    const flat = updateGraph(optimizer, parameter, true)
    const shaped = updateGraph(optimizer, parameter, false)
    check(flat)
    check(shaped)
    expect(flat.nodes.map(({ op }) => op)).toEqual(shaped.nodes.map(({ op }) => op))
    expect(flat.outputs.map(({ name }) => name)).toEqual([
      'parameter_out',
      ...Object.keys(optimizer.init(parameter)).map(name => `${name}_out`),
    ])
    expect(shaped.outputs.every(({ shape }) => shape.join() === '2,3')).toBe(true)
  },
)

import { describe } from '../../src/onnx/shapes'
import type { Attributes, OpName } from '../../src/onnx/operators'
import type { Case, Given } from './operatorCases/case'
import { alongAxes } from './operatorCases/alongAxes'
import { elementwise } from './operatorCases/elementwise'
import { indexing } from './operatorCases/indexing'
import { products } from './operatorCases/products'
import { shapes } from './operatorCases/shapes'
import { windows } from './operatorCases/windows'

/** At least one case for every operator of the table: one without does not compile. */
export const operatorCases: { readonly [Op in OpName]: readonly Case<Attributes[Op]>[] } = {
  ...elementwise,
  ...products,
  ...alongAxes,
  ...indexing,
  ...shapes,
  ...windows,
}

interface TitledCase {
  readonly title: string
  readonly op: OpName
  readonly of: Case
}

/** The cases of all operators, with names for tests. */
export const allCases: readonly TitledCase[] = (Object.keys(operatorCases) as OpName[]).flatMap(op =>
  (operatorCases[op] as readonly Case[]).map(one => ({
    title: `${op}(${one.inputs.map(typeOf).join(', ')}) ${JSON.stringify(one.attributes)}`,
    op,
    of: one,
  })),
)

function typeOf(input: Given | undefined): string {
  return input === undefined ? '-' : describe(input)
}

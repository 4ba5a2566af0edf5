// what is known of labels that a head of the user's own is given, beyond their shapes; and the checks of its losses
import { TrainerError } from '../errors'
import type { Value } from '../onnx/types'
import { shown } from '../options'

/** What a column of labels has. */
export interface LabelKind {
  readonly column: string
  /** Of how many classes each label is one; undefined for numbers. */
  readonly classes?: number | undefined
  /** How many numbers there are for each row or token; undefined for classes. */
  readonly numbers?: number | undefined
}

const kinds = new WeakMap<Value, LabelKind>()

/** Notes what a value's labels are, for the losses that are written of them. */
export function noteLabels(value: Value, kind: LabelKind): Value {
  kinds.set(value, kind)
  return value
}

/**
 * Checks what a loss is computed of: PyTorch refuses the same, where a graph would broadcast or find no class.
 * @param call how the loss is called, for errors: `crossEntropy(graph, logits, labels)`.
 * @throws TrainerError ('argument') for what is no value, for labels in place of outputs, and outputs that do not fit them.
 */
export function checkLossValues(call: string, outputs: Value, labels: Value): void {
  for (const [i, value] of [outputs, labels].entries())
    if (typeof value !== 'object' || value === null || !Array.isArray(value.shape))
      throw new TrainerError(
        'argument',
        `${call}: the ${i === 0 ? 'second' : 'third'} is ${shown(value)}; a value of the graph was expected.`,
        {
          fix: 'Is the name that of an output, or of a column of labels?',
        },
      )
  const swapped = kinds.get(outputs)
  if (swapped !== undefined)
    throw new TrainerError('argument', `${call} was given the labels "${swapped.column}" in place of outputs.`, {
      fix: 'First come the outputs, then the labels.',
    })
  const kind = kinds.get(labels)
  if (kind !== undefined) checkFit(call, outputs, labels, kind)
}

function checkFit(call: string, outputs: Value, labels: Value, { column, classes, numbers }: LabelKind): void {
  const [axis, ...inner] = outputs.shape
  const found = `[${outputs.shape.join(', ')}]`
  if ((axis === 'batch' || axis === 'tokens') && axis !== labels.shape[0]) {
    const [one, other] = axis === 'tokens' ? ['token', 'row'] : ['row', 'token']
    throw new TrainerError(
      'argument',
      `${call}: outputs ${found} are for each ${one}, but the labels "${column}" for each ${other}.`,
      {
        fix:
          axis === 'tokens'
            ? "Make the outputs of encoded.first() or encoded.pooled(), or say { of: 'tokens' } of the labels."
            : "Make the outputs of encoded.tokens(), or leave { of: 'tokens' } out of the labels.",
      },
    )
  }
  if (!inner.every(length => typeof length === 'number')) return
  const width = (inner as readonly number[]).reduce((product, length) => product * length, 1)
  const wanted = classes ?? numbers!
  if (width === wanted && (classes === undefined || inner.length === 1)) return
  const has = classes === undefined ? `${wanted} number${wanted === 1 ? '' : 's'} each` : `${wanted} classes`
  throw new TrainerError('argument', `${call}: the labels "${column}" have ${has}, but the outputs are ${found}.`, {
    fix: `Give the layer ${wanted} output${wanted === 1 ? '' : 's'}, or say in labels.${column} how many there are.`,
  })
}

// what to do about labels that a head for rows does not take
import type { Tensor } from '../tensor'
import type { ProblemType } from './problemType'

/** Says what to do: how a head gets other labels depends on where it comes from. */
export interface LabelAdvice {
  /** Where rows have another number of numbers than the `width` that the head gives them. */
  ofShape(labels: Tensor, width: number, problemType: ProblemType): string
  /** Where rows have several labels each, but the head is for one class. */
  ofSeveral(labels: Tensor, width: number): string
  /** Where a label is a number, but no class. */
  ofClass(label: number, width: number): string
  /** Where each of a row's labels is to be 0 or 1, or between, and one is not. */
  ofSeveralValue(): string
}

/** A model that is loaded by a config, which says how many labels it has. */
export const adviceForConfigs: LabelAdvice = {
  ofShape({ dims, dtype }, width, problemType) {
    if (dims.length === 2) return `Load the model with numLabels: ${dims[1]}, or give each row ${width}.`
    if (dtype === 'float32' || dtype === 'float64')
      return 'Labels that are not whole numbers are values: load the model with numLabels: 1.'
    return problemType === 'regression'
      ? 'For one value in each row, load the model with numLabels: 1.'
      : "For one class in each row, load the model with problemType: 'single_label_classification'; " +
          `else give each row ${width} numbers, 1 for each label that it has and 0 for the others.`
  },
  ofSeveral: ({ dims }) =>
    `For several labels at once, load the model with problemType: 'multi_label_classification', numLabels: ${dims[1]}.`,
  ofClass: label =>
    Number.isInteger(label)
      ? 'Load the model with the right numLabels, or correct the labels.'
      : "For values in place of classes, load the model with numLabels: 1 and problemType: 'regression'.",
  ofSeveralValue: () =>
    'Give a number for each label that there is: 1 for those that the row has, 0 for the others. ' +
    "For values, load the model with problemType: 'regression'.",
}

/** A graph that was made elsewhere: how wide its output is is its own, and the option `loss` says what that means. */
export const adviceForGraphs: LabelAdvice = {
  ofShape({ dims, data }, width) {
    const given = dims.length < 2 ? 1 : dims[1]!
    const own = `give each row ${width}, as many as the output of the graph has, or export the graph with ${given}.`
    return given === 1 && data.every(label => Number.isInteger(Number(label)))
      ? `For one class in each row, load the graph with loss: 'cross_entropy'; else ${own}`
      : `For numbers ${own}`
  },
  ofSeveral: ({ dims }, width) =>
    dims[1] === width
      ? "For several labels at once, load the graph with loss: 'binary_cross_entropy'; " +
        "for values, with loss: 'mean_squared_error'."
      : `Give each row one class, 0 to ${width - 1}.`,
  ofClass: (label, width) =>
    Number.isInteger(label)
      ? 'Correct the labels, or export the graph with as many columns as there are classes.'
      : "For values in place of classes, load the graph with loss: 'mean_squared_error'" +
        `${width === 1 ? '' : `, and give each row ${width}`}.`,
  ofSeveralValue: () =>
    'Give a number for each label that there is: 1 for those that the row has, 0 for the others. ' +
    "For values, load the graph with loss: 'mean_squared_error'.",
}

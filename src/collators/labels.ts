// a column of labels → tensor
import { LabelError } from '../errors'
import { isList, type Tensor } from '../tensor'
import type { Collators } from './advised'
import { tensorOf } from './tensors'

/**
 * The column of labels as a tensor; undefined where no row has one.
 * @param advised the collator for such rows, asked for when there is a fault.
 * @throws LabelError as {@link columnTensor}, with what to do about labels.
 */
export function labelTensor(
  name: string,
  values: readonly unknown[],
  indices: readonly number[] | undefined,
  advised: () => Collators,
): Tensor | undefined {
  const isPerToken = (): boolean => advised() === 'DataCollatorForTokenClassification'
  if (values.every(value => value === null)) return undefined
  return tensorOf(name, values, indices, {
    refuse: (problem, fix) => new LabelError(problem, fix),
    text: () => adviceForTexts(name, values, isPerToken),
    empty: () =>
      values.some(isList)
        ? `Leave such rows out: dataset.filter(row => row.${name}?.every(label => label !== null)).`
        : `Leave such rows out: dataset.filter(row => row.${name} !== null).`,
    ragged: () =>
      isPerToken()
        ? 'Each token has a label: set dataCollator: DataCollatorForTokenClassification(tokenizer), which pads them.'
        : 'Several labels at once are a number for each label that there is, in every row: ' +
          `map(row => ({ ${name}: names.map((_, id) => (row.${name}.includes(id) ? 1 : 0)) })).`,
  })
}

/** What to do about the names of tokens' labels, of which some may be numbers already. */
export function adviceForNames(name: string, values: readonly unknown[]): string {
  const isMixed = values.flat(Infinity).some(value => typeof value === 'number')
  const number = isMixed ? "(typeof label === 'string' ? names.indexOf(label) : label)" : 'names.indexOf(label)'
  return (
    'Labels have to be numbers, those of the names in the list of them: ' +
    `map(row => ({ ${name}: row.${name}.map(label => ${number}) })).`
  )
}

/** What to do about labels that are texts: they may be numbers that were read as such, lists, or names. */
function adviceForTexts(name: string, values: readonly unknown[], isPerToken: () => boolean): string {
  const texts = values.flat(Infinity).filter(value => typeof value === 'string')
  const some = (pattern: RegExp): boolean => texts.some(text => pattern.test(text.trim()))
  if (values.some(isList)) {
    const row = some(/\d/) && texts.every(isNumeric) ? `row.${name}.map(Number)` : undefined
    if (row === undefined && isPerToken()) return adviceForNames(name, values)
    const switches = `names.map(name => (row.${name}.includes(name) ? 1 : 0))`
    return `Make numbers of them, one for each label that there is: map(row => ({ ${name}: ${row ?? switches} })).`
  }
  if (values.some(value => typeof value === 'number'))
    return `The others are numbers: leave such rows out, filter(row => typeof row.${name} === 'number').`
  if (some(/^\[.*\]$/s)) {
    const json = some(/'/) ? `row.${name}.replaceAll("'", '"')` : `row.${name}` // Python writes texts in single quotes
    return `They are lists that were read as text: map(row => ({ ${name}: JSON.parse(${json}) })).`
  }
  const numbers = texts.filter(isNumeric).length
  if (some(/^[-+]?\d*,\d+$/))
    return `Their decimal sign is a comma: loadDataset(…, { decimal: ',' }), or map(row => ({ ${name}: Number(row.${name}.replace(',', '.')) })).`
  if (numbers === texts.length)
    return `They are numbers that were read as text: map(row => ({ ${name}: Number(row.${name}) })).`
  if (numbers > 0) {
    const isNumber = `Number.isFinite(Number(row.${name} || NaN))`
    return `Some are numbers: filter(row => ${isNumber}) keeps them, then map(row => ({ ${name}: Number(row.${name}) })) makes numbers of them.`
  }
  return `Number the labels first: dataset.classEncodeColumn('${name}').`
}

function isNumeric(text: string): boolean {
  return text.trim() !== '' && Number.isFinite(Number(text))
}

// what is said of a run before it begins, and at its end
import type { Dataset, PreTrainedModel, TrainingArguments } from '../../index'
import { counted } from './columns'
import type { Labels } from './labels'

/** The columns that values stand in. */
const valueColumn = 13

/** Lines of a name and what it is, each at most 79 columns wide as far as its words allow. */
export function noteLines(
  rows: readonly (readonly [name: string, value: string | undefined])[],
  wrap: (text: string, width: number) => string[],
): string {
  return rows
    .filter(([, value]) => value !== undefined)
    .map(
      ([name, value]) => name.padEnd(valueColumn) + wrap(value!, 79 - valueColumn).join(`\n${' '.repeat(valueColumn)}`),
    )
    .join('\n')
}

/** A list of names, of which the first stand for all. */
export function someNames(names: readonly string[], most = 12): string {
  return names.length <= most ? names.join(', ') : `${names.slice(0, most).join(', ')}, … (${names.length})`
}

/** "text-classification of 5 classes: 1, 2, 3, 4, 5". */
export function taskNote({ task, names, why }: Labels): string {
  const other = task === 'regression' ? 'text-classification makes them classes' : 'regression learns the numbers'
  const because = why === undefined ? '' : ` (${why}; --task ${other})`
  if (task === 'regression') return `regression${because}`
  return `${task}, ${names.length} classes: ${someNames(names)}${because}`
}

/** A class that is so much rarer than another is learned badly. */
const unbalanced = 4

/** What to do about classes of very different frequency. */
export function balanceNote(rows: Dataset, { task, names }: Labels): string | undefined {
  if (task !== 'text-classification') return undefined
  const counts = names.map(() => 0)
  for (const label of rows.column('label') as Iterable<number>) counts[label]!++
  const most = counts.indexOf(Math.max(...counts))
  const least = counts.indexOf(Math.min(...counts))
  if (counts[most]! < unbalanced * counts[least]!) return undefined
  return (
    `${counted(counts[most]!)} rows are '${names[most]}', only ${counted(counts[least]!)} '${names[least]}': ` +
    '--class_weights balanced lets rare classes weigh more'
  )
}

/** Epochs, updates, batch and rate. */
export function runNote(args: TrainingArguments, rows: number): string {
  const batch = args.perDeviceTrainBatchSize * args.gradientAccumulationSteps
  const each = Math.max(1, Math.ceil(rows / batch))
  const long =
    args.maxSteps > 0
      ? `${counted(args.maxSteps)} updates`
      : `${args.numTrainEpochs} ${args.numTrainEpochs === 1 ? 'epoch' : 'epochs'} × ${counted(each)} updates`
  const { learningRate: rate, device, seed } = args
  return `${long} of ${batch} rows, learning rate ${shortNumber(rate)}, on ${device}, seed ${seed}`
}

/** 5e-5 in place of 0.00005. */
function shortNumber(number: number): string {
  return number > 0 && number < 1e-3 ? number.toExponential() : String(number)
}

/** What model is trained, and whether it begins with a new head. */
export function modelNote(model: PreTrainedModel, name: string): string {
  const millions = (model.numParameters() / 1e6).toFixed(1)
  const isNew = model.newlyInitialized.length > 0 ? ', with a new head' : ''
  return `${name} (${String(model.config.model_type)}, ${millions} million parameters${isNew})`
}

/** Words as a shell reads them back. */
export function shellWords(words: readonly string[]): string {
  return words.map(word => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ')
}

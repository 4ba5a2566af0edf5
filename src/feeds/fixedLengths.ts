// what to do where a graph was exported for a length, and a batch has another

/** The rows of a batch are to be so many. */
export function rowsAdvice(rows: number): string {
  return (
    `It was exported for batches of ${rows} ${rows === 1 ? 'row' : 'rows'}: set perDeviceTrainBatchSize and ` +
    `perDeviceEvalBatchSize to ${rows}, and dataloaderDropLast to true, or export it with its first axis open.`
  )
}

/** An axis of an input is to have a length. */
export function adviceFor(name: string, axis: number, length: number): string {
  if (axis === 0) return rowsAdvice(length)
  const padded = `{ padding: 'max_length', maxLength: ${length}, truncation: true }`
  return (
    `Give "${name}" ${length} along axis ${axis} from the data collator (of tokens, tokenize with ${padded}), or export ` +
    'the graph with that axis open.'
  )
}

import { TrainerError } from '../errors'
import { declareGiven, givenColumns } from '../feeds/asGiven'
import type { Limits } from '../feeds/limits'
import type { Head } from '../heads/Head'
import { type Signature, usualLabels } from './signature'

/** The head of artifacts: the loss is inside of their graphs, so it names labels and predictions, and no more. */
export function lossHead(file: string, signature: Signature, limits: () => Limits): Head {
  const { labels, data, outputs } = signature
  const rows = data[0]?.shape[0]
  const usual = labels.filter(({ name }) => usualLabels.includes(name))
  const head: Head = {
    task: 'sequence-classification',
    reads: 'all',
    width: 0,
    labelNames: (usual.length > 0 ? usual : labels).map(({ name }) => name),
    outputNames: outputs,
    takesCustomLoss: false,
    configFields: {},
    decided: () => head,
    withLoss(name) {
      throw new TrainerError('argument', `The loss is inside of ${file}, but the loss "${name}" was asked for.`, {
        fix: 'Leave it out, or generate the artifacts with that loss.',
      })
    },
    declare: graph => declareGiven(graph, labels),
    loss() {
      throw new TrainerError('internal', `internal: the loss is inside of ${file}.`)
    },
    feed(batch, places, rowName) {
      if (labels.length > 0 && head.labelNames.every(name => batch[name] === undefined)) return undefined
      const known = typeof rows === 'string' ? { [rows]: places.order.length } : {}
      const columns = givenColumns(batch, labels, rowName, { limits, areLabels: true, known })
      // one for each micro-batch: their losses are means already
      return { inputs: Object.fromEntries(columns), count: 1 }
    },
    predictions(found) {
      if (Object.keys(found).length > 0) return found
      throw nothingWithoutLabels(file, signature)
    },
  }
  return head
}

/** The error where predictions are asked for, and all that could be predicted needs labels. */
export function nothingWithoutLabels(file: string, { beforeLabels }: Signature): TrainerError {
  const names = beforeLabels.map(name => `'${name}'`).join(', ')
  return new TrainerError('model', `Nothing can be predicted by ${file}: the outputs that were chosen need labels.`, {
    ...(names !== '' && {
      fix: `Name values of its graph that need none: fromPretrained(folder, { outputs: [${names}] }).`,
    }),
  })
}

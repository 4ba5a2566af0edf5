// columns → the batch that map's function is given
import { TrainerError } from '../errors'
import { columnValues, type Column } from './columns'
import { markOrigin } from './origins'

/** Names that tests and the console ask every object for: they do not mean columns. */
const probes = new Set(['then', 'toJSON', 'asymmetricMatch', 'nodeType', 'tagName', 'constructor'])

/**
 * The rows from `start` to before `end` as columns, each made when it is first read. Each array is marked with its
 * origin. A name that is not a column throws, where a plain object would give undefined.
 */
export function columnsView(columns: ReadonlyMap<string, Column>, start: number, end: number): object {
  const view = {}
  for (const [name, column] of columns) {
    let values: unknown[] | undefined
    const get = (): unknown[] => {
      if (values !== undefined) return values
      values = columnValues(column, start, end)
      markOrigin(values, name, start)
      return values
    }
    Object.defineProperty(view, name, { get, enumerable: true })
  }
  return new Proxy(view, {
    get(target, name, receiver) {
      if (typeof name === 'string' && !(name in target) && /^\w+$/.test(name) && !probes.has(name)) {
        const names = [...columns.keys()].join(', ')
        throw new TrainerError('data', `map's function asked for a column '${name}'; the columns are ${names}.`)
      }
      return Reflect.get(target, name, receiver) as unknown
    },
  })
}

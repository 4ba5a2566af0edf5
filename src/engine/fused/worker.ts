/**
 * What a worker thread runs, as text, so that a bundled package needs no second file. It knows nothing of kernels: it
 * is given memories and modules, and jobs whose table has one row for each chunk; it takes the next chunk from a shared
 * counter until none is left.
 *
 * A row is `[memory, flags memory, flags address, elements in a row, ...arguments]`, the arguments being `pointers`
 * addresses, a count, and more. Without flags (address 0) the function is called with the arguments. With flags the
 * count is one of table rows, each with its flag, and the function is called for every run of rows that have one of the
 * `bits`.
 */
export const workerSource = `'use strict'
const { parentPort } = require('node:worker_threads')
const header = 4
const memories = [], modules = [], instances = new Map()

parentPort.on('message', (message) => {
  if (message.kind === 'memory') {
    memories[message.index] = message.memory
    instances.clear() // a memory that has grown must be bound again
  } else if (message.kind === 'module') modules[message.index] = message.module
  else perform(message)
})

function perform(job) {
  let error
  try {
    const work = { call, mark, scatter }[job.kind]
    const counter = new Int32Array(job.counter)
    for (;;) {
      const chunk = Atomics.add(counter, 0, 1)
      if (chunk >= job.count) break
      const result = work(job, job.table.subarray(chunk * job.stride, (chunk + 1) * job.stride))
      job.results[chunk] = result
    }
  } catch (cause) {
    Atomics.store(new Int32Array(job.counter), 0, job.count)
    error = cause
  }
  parentPort.postMessage({ id: job.id, error })
}

function callee(job, memory) {
  const key = job.module + ' ' + memory
  let instance = instances.get(key)
  if (instance === undefined) {
    instance = new WebAssembly.Instance(modules[job.module], { env: { memory: memories[memory] } })
    instances.set(key, instance)
  }
  return instance.exports[job.name]
}

function call(job, row) {
  const run = callee(job, row[0])
  const args = Array.from(row.subarray(header))
  if (row[2] === 0) return run(...args)
  const count = args[job.pointers]
  const flags = new Uint8Array(memories[row[1]].buffer, row[2], count)
  let sum = 0
  for (let from = 0; from < count;) {
    if ((flags[from] & job.bits) === 0) { from++; continue }
    let to = from + 1
    while (to < count && (flags[to] & job.bits) !== 0) to++
    const part = args.slice()
    for (let i = 0; i < job.pointers; i++) part[i] += from * row[3] * 4
    part[job.pointers] = (to - from) * row[3]
    sum += run(...part)
    from = to
  }
  if (job.forget) for (let i = 0; i < count; i++) flags[i] &= ~job.bits
  return sum
}

// sets the bits of every row whose sum of squares is not zero
function mark(job, row) {
  const run = callee(job, row[0])
  const flags = new Uint8Array(memories[row[1]].buffer, row[2], row[5])
  for (let i = 0; i < row[5]; i++) if (run(row[4] + i * row[3] * 4, row[3]) !== 0) flags[i] |= job.bits
}

// adds rows to the table rows that they belong to; a chunk owns the table rows with one remainder, so that their order
// stays
function scatter(job, row) {
  const run = callee(job, row[0])
  const [table, rows, remainder, owners] = row.subarray(header)
  const flags = new Uint8Array(memories[row[1]].buffer, row[2])
  for (let i = 0; i < job.index.length; i++) {
    const at = job.index[i]
    if (at % owners !== remainder) continue
    flags[at] |= job.bits
    const target = table + at * row[3] * 4
    run(target, rows + i * row[3] * 4, target, row[3])
  }
}
`

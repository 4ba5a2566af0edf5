/**
 * What the worker thread of an online run does, as text, so that a bundled package needs no second file. `@wandb/sdk` runs
 * there since it would harm training where that runs: what it throws in its listeners ends the process, it prints on
 * standard output, and its handler of SIGINT ends the process. In a thread none of that reaches further than the thread.
 *
 * What the package does not do is done beside it, by its own objects: it sends each chunk of rows once, whatever the
 * server answers; it writes from row 0 on though the run has rows; it tells nobody of axes, and has no summary of its own.
 *
 * It is given `{ sdk, names, config, stepKey, resumes, baseUrl }`, then messages `log` and `finish`; it answers `open`,
 * `warning`, `failed` and `finished`.
 */
export const sdkWorker = `'use strict'
const { parentPort, workerData } = require('node:worker_threads')
const { sdk, names, config, stepKey, resumes, baseUrl } = workerData
const rows = 'wandb-history.jsonl', summary = 'wandb-summary.json'
const known = new Set([stepKey])
let apiKey = process.env.WANDB_API_KEY, run, stream, cause, isOpen = false
let last = Promise.resolve(), described = Promise.resolve()

const wait = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds))
const hidden = text => apiKey ? String(text).replaceAll(apiKey, '(the key)') : String(text)
const tell = (kind, text, more) => parentPort.postMessage({ kind, text: text && hidden(text), ...more })

function fail(text, again) {
  if (!isOpen) tell('failed', text, { again })
  else tell('warning', text)
}

/**
 * The package says in print alone why it has failed, and waits for ever for a request that was answered with an
 * error.
 */
for (const level of ['log', 'info', 'warn', 'debug']) console[level] = said
console.error = said
function said(text, error) {
  const status = error?.response?.status
  if (/^Fatal/.test(text)) cause = { text: status ? refusal(status) : unreached(error), again: !status }
  else if (/^Retrying/.test(text) && !isOpen) fail('the server has answered with an error.', true)
}

const refusal = status => 'the server refuses it with status ' + status +
  (status === 401 || status === 403 ? ': WANDB_API_KEY is not valid there.' : '.')
const unreached = error => 'the server is not reached: ' + (error?.cause?.code ?? error?.code ?? error?.message ?? error) + '.'

process.on('uncaughtException', error => fail(cause?.text ?? error.message, cause?.again ?? false))
process.on('unhandledRejection', error => fail(cause?.text ?? error?.message ?? error, cause?.again ?? false))

async function begin() {
  const wandb = require(sdk).default
  const settings = { silent: true, ...(baseUrl && { baseUrl }) }
  run = await wandb.init({ ...names, config: wrapped(), settings })
  apiKey = run.settings.apiKey
  stream = run._messenger?.sender?.filestream
  if (stream?.lastChunks?.[rows] === undefined || stream.lastChunks[summary] === undefined)
    throw new Error('this version of @wandb/sdk is not known: npm install @wandb/sdk@0.5.1 installs one that is.')
  const send = stream.send.bind(stream)
  stream.send = data => sentForSure(send, data)
  if (resumes) await goOn()
  isOpen = true
  tell('open', run.url())
}

async function sentForSure(send, data) {
  for (const file of Object.values(data.files ?? {})) file.content = file.content.map(withWords)
  for (let pause = 500, tries = 0; ; pause = Math.min(2 * pause, 30000), tries++) {
    const answer = await send(data)
    if (answer?.ok) return answer
    const status = answer?.status
    if (status < 500 && status !== 408 && status !== 429) return tell('warning', 'rows are lost: ' + refusal(status))
    if (tries === 0) tell('warning', (status ? 'the server has answered with status ' + status + '.' : cause?.text) + ' It is tried again.')
    await wait(pause)
  }
}

/** W&B reads NaN and Infinity as words, where JSON.stringify writes null. */
const marked = values => Object.fromEntries(Object.entries(values).map(([key, value]) =>
  [key, typeof value === 'number' && !Number.isFinite(value) ? '\\0' + value : value]))
const withWords = line => line.replaceAll(/"\\\\u0000(NaN|-?Infinity)"/g, '$1')

async function asked(query, variables) {
  const answer = await fetch(run.settings.baseUrl + '/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Basic ' + Buffer.from('api:' + apiKey).toString('base64') },
    body: JSON.stringify({ query, variables: { name: run.id, project: run.project, entity: run.entity, ...variables } }),
  })
  if (!answer.ok) throw new Error(refusal(answer.status))
  return (await answer.json()).data
}

/** Rows and summary go on behind those that the server has. */
async function goOn() {
  const data = await asked('query RunResumeStatus($project: String, $entity: String, $name: String!) { model(name: $project, entityName: $entity) { bucket(name: $name, missingOk: true) { id summaryMetrics historyLineCount historyTail config } } }')
  const bucket = data?.model?.bucket
  if (!bucket) return tell('warning', 'the server does not know the run ' + run.id + ', so that it begins anew there.')
  const tail = JSON.parse(bucket.historyTail || '[]').map(row => JSON.parse(row)).at(-1) ?? {}
  const lines = bucket.historyLineCount ?? 0
  stream.lastChunks[rows].offset = lines
  stream.lastChunks[summary].data = JSON.parse(bucket.summaryMetrics || '{}')
  run.step = Math.max(lines, (tail._step ?? -1) + 1)
  stream.started -= 1000 * (tail._runtime ?? 0)
  const metrics = JSON.parse(bucket.config || '{}')._wandb?.value?.m ?? []
  for (const { 1: key } of metrics) if (typeof key === 'string') known.add(key)
  await describe()
}

/** The configuration as the server has it, and against which key each other is shown: see W&B's MetricRecord. */
function wrapped() {
  const metrics = [...known].map(key => key === stepKey ? { 1: key, 6: [3] } : { 1: key, 5: 1, 6: [1] })
  const all = { ...config, _wandb: { m: metrics } }
  return Object.fromEntries(Object.entries(all).map(([key, value]) => [key, { desc: null, value }]))
}

/** The package sends the configuration once, when it does not know the axes yet. */
async function describe() {
  await asked('mutation UpsertBucket($name: String, $project: String, $entity: String, $config: JSONString) { upsertBucket(input: { name: $name, modelName: $project, entityName: $entity, config: $config }) { bucket { id } } }', { config: JSON.stringify(wrapped()) })
}

async function log({ row, ofRun }) {
  Object.assign(stream.lastChunks[summary].data, marked(ofRun))
  run.log(marked(row))
  const fresh = Object.keys(row).filter(key => !key.startsWith('_') && !known.has(key))
  if (fresh.length === 0) return
  for (const key of fresh) known.add(key)
  // rows do not wait for it
  described = described.then(describe).catch(error => fail(error.message, false))
}

async function handle(message) {
  if (message.kind === 'log') return log(message)
  await run.finish(message.code)
  await described
  tell('finished')
}

parentPort.on('message', message => {
  last = last.then(() => handle(message)).catch(error => fail(error.message, false))
})
begin().catch(error => fail(cause?.text ?? error.message, cause?.again ?? false))
`

/**
 * Everything that is measured on a machine with an NVIDIA GPU, by one command: the tests' rows of devices, bytes of a
 * step, and the bench on CUDA in four precisions and on WebGPU, beside Hugging Face Trainer, with profiles. Writes
 * out/gpu/measured.json and out/gpu/measured.md; what could not be done stands there with its reason.
 *
 * Run: npx tsx scripts/gpu/measure.ts [--devices cuda,webgpu] [--tests] [-- further words of npm run bench]
 *
 * BENCH_PYTHON names a Python with torch for CUDA, transformers, accelerate and datasets. CUDA_LIBRARY names another
 * build of ONNX Runtime for the steps on CUDA than `npx ts-trainer install cuda` left, WEBGPU_LIBRARY one for WebGPU.
 * scripts/gpu/pack.sh packs all of it for a machine without network.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { doctor, formatDoctor } from '../../src/index'
import { findWebgpuDriver } from '../../test/helpers/webgpu'
import { type Outcome, outcomeOf, type Step, stepsOf, tableOf } from './steps'

const root = join(import.meta.dirname, '../..')
const folder = join(root, 'out/gpu')

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { devices: { type: 'string', default: 'cuda,webgpu' }, tests: { type: 'boolean', default: false } },
})
const usual = ['--shape', 'base', '--task', 'mrpc', '--steps', '50', '--rounds', '3']
const devices = values.devices.split(',').map(name => {
  if (name === 'cuda' || name === 'webgpu') return name
  throw new Error(`--devices takes cuda and webgpu, not "${name}".`)
})

findWebgpuDriver()
const machine = formatDoctor(await doctor())
console.log(machine)
mkdirSync(folder, { recursive: true })
const outcomes: Outcome[] = []
for (const step of stepsOf({ devices, tests: values.tests, bench: positionals.length > 0 ? positionals : usual })) {
  outcomes.push(run(step))
  save()
}
console.log(`\n${tableOf(outcomes)}\n\nin ${folder}`)
if (outcomes.some(({ problem }) => problem !== undefined)) process.exitCode = 1

function run(step: Step): Outcome {
  console.log(`\n── ${step.name}: node ${step.words.join(' ')}`)
  const begun = performance.now()
  const library = process.env[step.device === 'cuda' ? 'CUDA_LIBRARY' : 'WEBGPU_LIBRARY']
  const { status, stdout, stderr } = spawnSync(process.execPath, step.words, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...process.env, ...(library !== undefined && { ONNXRUNTIME_LIBRARY: library }) },
  })
  // the JSON of the bench is the last line of what it prints
  const output = status === 0 ? stdout : `${stdout}\n${stderr}`
  console.log(output.trimEnd())
  return outcomeOf(step, status, (performance.now() - begun) / 1000, output)
}

/** Written after each step, so that one that never ends leaves those before it. */
function save(): void {
  const date = new Date().toISOString().slice(0, 10)
  writeFileSync(join(folder, 'measured.json'), JSON.stringify({ date, machine, outcomes }, undefined, 2))
  writeFileSync(join(folder, 'measured.md'), `${date}\n\n\`\`\`\n${machine}\n\`\`\`\n\n${tableOf(outcomes)}\n`)
}

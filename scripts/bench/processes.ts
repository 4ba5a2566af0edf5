// each measurement in a process of its own
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { TrainerError } from '../../src/errors'
import type { ArtifactJob, Job, ProductJob, ProductResult, RunResult, TokenizeJob, TokenizeResult } from './job'

const here = import.meta.dirname
const root = join(here, '../..')
const run = promisify(execFile)
const signals = ['SIGINT', 'SIGTERM'] as const

/** Trains with ts-trainer. */
export function runOurs(job: Job): Promise<RunResult> {
  return runProcess(process.execPath, ['--import', 'tsx', join(here, 'ours.ts')], job, 'ts-trainer')
}

/** Trains with Hugging Face Trainer. */
export function runRival(python: string, job: Job): Promise<RunResult> {
  return runProcess(python, [join(here, 'rival.py')], job, 'Hugging Face Trainer')
}

/** Trains artifacts with ts-trainer. */
export function runArtifacts(job: ArtifactJob): Promise<RunResult> {
  return runProcess(process.execPath, ['--import', 'tsx', join(here, 'oursArtifacts.ts')], job, 'ts-trainer')
}

/** Trains artifacts with the official runtime. */
export function runRivalArtifacts(python: string, job: ArtifactJob): Promise<RunResult> {
  return runProcess(python, [join(here, 'rival_artifacts.py')], job, 'ONNX Runtime Training')
}

/** Times bare products. */
export function runProducts(job: ProductJob): Promise<ProductResult> {
  return runProcess(process.execPath, ['--import', 'tsx', join(here, 'gemm.ts')], job, 'The product')
}

/** Tokenizes with ts-trainer. */
export function tokenizeOurs(job: TokenizeJob): Promise<TokenizeResult> {
  return runProcess(process.execPath, ['--import', 'tsx', join(here, 'tokenizeOurs.ts')], job, 'ts-trainer')
}

/** Tokenizes with the Rust library, on all cores. */
export function tokenizeRival(python: string, job: TokenizeJob): Promise<TokenizeResult> {
  return runProcess(python, [join(here, 'tokenize_rival.py')], job, 'The tokenizers package', 'true')
}

const trainerPackages = ['torch', 'transformers', 'accelerate', 'datasets']
const artifactPackages = ['onnxruntime.training.api']

/**
 * A Python that has the rival, Hugging Face Trainer or ONNX Runtime Training: `BENCH_PYTHON`, else the one on the path;
 * undefined if there is none.
 * @throws TrainerError for BENCH_PYTHON without it.
 */
export async function findPython(artifacts = false): Promise<string | undefined> {
  const named = process.env['BENCH_PYTHON']
  const packages = artifacts ? artifactPackages : trainerPackages
  for (const python of named === undefined ? ['python3', 'python'] : [named]) {
    try {
      await run(python, ['-c', `import ${packages.join(', ')}`])
      return python
    } catch (cause) {
      if (named === undefined) continue
      const list = `${packages.slice(0, -1).join(', ')}${packages.length > 1 ? ' or ' : ''}${packages.at(-1)!}`
      throw new TrainerError('argument', `BENCH_PYTHON ${named} does not start, or lacks ${list}.`, { cause })
    }
  }
  return undefined
}

/** Whether a Python's torch has a GPU to train on. */
export async function hasCuda(python: string): Promise<boolean> {
  const { stdout } = await run(python, ['-c', 'import torch; print(torch.cuda.is_available())'])
  return stdout.trim() === 'True'
}

async function runProcess<Result>(
  command: string,
  words: readonly string[],
  job: { readonly result: string },
  what: string,
  parallelism = 'false',
): Promise<Result> {
  const file = `${job.result}.job`
  writeFileSync(file, JSON.stringify(job))
  const running = run(command, [...words, file], {
    cwd: root,
    maxBuffer: 1 << 28,
    env: { ...process.env, TOKENIZERS_PARALLELISM: parallelism },
  })
  // the call below then throws, and what lies in temporary folders is removed
  const stop = (): void => {
    running.child.kill()
  }
  for (const signal of signals) process.once(signal, stop)
  try {
    await running
  } catch (error) {
    const { stderr } = error as { stderr?: string }
    throw new TrainerError(
      'training',
      `${what} ended with an error:\n${stderr?.trim().split('\n').slice(-15).join('\n') || String(error)}`,
      { cause: error },
    )
  } finally {
    for (const signal of signals) process.off(signal, stop)
  }
  return JSON.parse(readFileSync(job.result, 'utf8')) as Result
}

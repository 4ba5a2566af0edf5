// Python's side of a check: a script of this folder that prints JSON, and tensors as JSON has them
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Tensor } from '../../src/index'

/** A tensor as the scripts read and print it. */
export interface PlainTensor {
  readonly dims: readonly number[]
  readonly data: readonly number[]
}

/** Tensors by name, for a script. */
export function plainTensors(tensors: Readonly<Record<string, Tensor>>): Readonly<Record<string, PlainTensor>> {
  const plain = ({ dims, data }: Tensor): PlainTensor => ({ dims, data: Array.from(data as Float32Array) })
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, plain(tensor)]))
}

/** Tensors that a script has printed. */
export function tensorsOf(plain: Readonly<Record<string, PlainTensor>>): Readonly<Record<string, Tensor<'float32'>>> {
  return Object.fromEntries(
    Object.entries(plain).map(([name, { dims, data }]) => [name, new Tensor('float32', Float32Array.from(data), dims)]),
  )
}

/** Runs a script of this folder, and reads what it prints. */
export async function inPython<T>(python: string, script: string, words: readonly string[]): Promise<T> {
  const { stdout } = await promisify(execFile)(python, [join(import.meta.dirname, script), ...words], {
    maxBuffer: 2 ** 28,
  })
  return JSON.parse(stdout) as T
}

/** Writes what a script is to read, as JSON; returns the file. */
export function writeGiven(work: string, name: string, given: unknown): string {
  const file = join(work, `${name}.json`)
  writeFileSync(file, JSON.stringify(given))
  return file
}

/** A folder for as long as a check takes. */
export async function inWorkFolder<T>(name: string, use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), `${name}-`))
  try {
    return await use(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

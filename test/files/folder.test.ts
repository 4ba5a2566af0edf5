import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { describe, expect, it } from 'vitest'

import { checkWritable, recoverFolders, removeFolder, writeFolder } from '../../src/files/folder'
import { temporaryFolder } from '../helpers/temporaryFolder'

const root = temporaryFolder()
// A process that has ended. Its number is free, or somebody else's by now; that would only keep the leftovers.
const dead = spawnSync(process.execPath, ['-e', '']).pid

async function fill(folder: string, files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(folder, name, '..'), { recursive: true })
    await writeFile(join(folder, name), text)
  }
}

function contents(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
  return Object.fromEntries(
    files
      .map(entry => join(entry.parentPath, entry.name))
      .sort()
      .map(path => [path.slice(folder.length + 1), readFileSync(path, 'utf8')]),
  )
}

async function emptyFolder(name: string): Promise<string> {
  const folder = join(root, name)
  await mkdir(folder)
  return folder
}

describe('writeFolder', () => {
  it('makes a folder and its parents, and replaces an older one', async () => {
    const target = join(root, 'deep', 'er', 'checkpoint-1')
    await writeFolder(target, async temporary => {
      expect(temporary).toMatch(/\.tmp-checkpoint-1-\d+\.\d+$/)
      await fill(temporary, { a: 'old', 'sub/b': 'old' })
      expect(existsSync(target)).toBe(false)
    })
    expect(contents(target)).toEqual({ a: 'old', 'sub/b': 'old' })
    await writeFolder(target, async temporary => {
      await fill(temporary, { a: 'new' })
      expect(contents(target)).toEqual({ a: 'old', 'sub/b': 'old' })
    })
    expect(contents(target)).toEqual({ a: 'new' })
    expect(readdirSync(join(target, '..'))).toEqual(['checkpoint-1'])
  })

  it('keeps checkpoints in the folder of the final model, but not weights of an older save', async () => {
    const target = await emptyFolder('final')
    await fill(target, {
      'checkpoint-1/model.safetensors': 'one',
      'model-00001-of-00002.safetensors': 'old',
      'model.safetensors.index.json': 'old',
      'config.json': 'old',
      'onnx/other.onnx': 'o',
    })
    await writeFolder(
      target,
      temporary => fill(temporary, { 'model.safetensors': 'new', 'config.json': 'new', 'onnx/model.onnx': 'new' }),
      { others: 'keep' },
    )
    expect(contents(target)).toEqual({
      'checkpoint-1/model.safetensors': 'one',
      'config.json': 'new',
      'model.safetensors': 'new',
      'onnx/model.onnx': 'new',
      'onnx/other.onnx': 'o',
    })
    expect(readdirSync(target).filter(name => name.startsWith('.'))).toEqual([])
  })

  it('leaves everything as it was when filling fails', async () => {
    const parent = await emptyFolder('failing')
    for (const others of ['keep', 'remove'] as const) {
      await fill(parent, { 'best/a': 'good' })
      await expect(
        writeFolder(
          join(parent, 'best'),
          async temporary => {
            await fill(temporary, { a: 'half' })
            throw new Error('out of luck')
          },
          { others },
        ),
      ).rejects.toThrow('out of luck')
      expect(contents(parent)).toEqual({ 'best/a': 'good' })
    }
  })

  it('says why a folder cannot be written', async () => {
    const parent = await emptyFolder('refusing')
    await fill(parent, { file: '' })
    await expect(writeFolder(join(parent, 'file', 'x'), async () => undefined)).rejects.toMatchObject({
      code: 'file',
      message: expect.stringContaining(`Cannot write ${join(parent, 'file', 'x')}`) as string,
    })
    await expect(checkWritable(join(parent, 'file'))).rejects.toThrow('choose another folder')
    await checkWritable(join(parent, 'new'))
    expect(readdirSync(join(parent, 'new'))).toEqual([])
    if (process.getuid?.() === 0) return
    await chmod(parent, 0o500)
    await expect(checkWritable(join(parent, 'other'))).rejects.toThrow('Give this user write permission')
    await chmod(parent, 0o700)
  })

  it('writes several folders at once', async () => {
    const parent = await emptyFolder('many')
    await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        writeFolder(join(parent, `checkpoint-${i}`), async temporary => {
          await sleep(i * 3)
          await fill(temporary, { a: String(i) })
        }),
      ),
    )
    expect(Object.keys(contents(parent))).toHaveLength(8)
    expect(readdirSync(parent)).toHaveLength(8)
  })
})

describe('recoverFolders', () => {
  it('removes what was being written, and leaves what a living process writes', async () => {
    const parent = await emptyFolder('leftovers')
    await fill(parent, {
      [`.tmp-checkpoint-2-${dead}.0/a`]: 'half',
      [`.tmp-checkpoint-3-${process.ppid}/a`]: 'busy',
      [`.old-checkpoint-1-${dead}.4/a`]: 'old',
      'checkpoint-1/a': 'new',
    })
    // A container's next process often has the number of the one that died.
    await fill(parent, { [`.tmp-checkpoint-4-${process.pid}.999/a`]: 'half' })
    await recoverFolders(parent)
    expect(contents(parent)).toEqual({ [`.tmp-checkpoint-3-${process.ppid}/a`]: 'busy', 'checkpoint-1/a': 'new' })
    await recoverFolders(join(parent, 'none'))
  })

  it.each(['before the old one is set aside', 'after'])(
    'installs a whole new folder whose writer died %s',
    async moment => {
      const parent = await emptyFolder(`new ${moment}`)
      await fill(parent, {
        [`.new-checkpoint-2-${dead}.0/a`]: 'new',
        [`${moment === 'after' ? `.old-checkpoint-2-${dead}.0` : 'checkpoint-2'}/a`]: 'old',
      })
      await recoverFolders(parent)
      expect(contents(parent)).toEqual({ 'checkpoint-2/a': 'new' })
      expect(readdirSync(parent)).toEqual(['checkpoint-2'])
    },
  )

  it('continues to move files into a folder, without removing the weights already moved', async () => {
    const parent = await emptyFolder('moving')
    await fill(parent, {
      [`.move--${dead}.0/config.json`]: 'new',
      'model.safetensors': 'new',
      'config.json': 'old',
      other: 'kept',
    })
    await recoverFolders(parent)
    expect(contents(parent)).toEqual({ 'config.json': 'new', 'model.safetensors': 'new', other: 'kept' })
    await fill(parent, { [`.merge--${dead}.1/model-00001-of-00001.safetensors`]: 'newer' })
    await recoverFolders(parent)
    expect(contents(parent)).toEqual({
      'config.json': 'new',
      'model-00001-of-00001.safetensors': 'newer',
      other: 'kept',
    })
  })
})

it('removeFolder removes a folder, and accepts that there is none', async () => {
  const parent = await emptyFolder('removing')
  await fill(parent, { 'checkpoint-1/a': 'x' })
  await removeFolder(join(parent, 'checkpoint-1'))
  expect(readdirSync(parent)).toEqual([])
  await removeFolder(join(parent, 'checkpoint-1'))
})

it('survives kill -9 at any moment: the name is that of one whole version', async () => {
  const parent = await emptyFolder('killed')
  const target = join(parent, 'best')
  const writer = fileURLToPath(new URL('folderWriter.ts', import.meta.url))
  for (let round = 0; round < 6; round++) {
    const child = spawn(process.execPath, ['--import', 'tsx', writer, target], { stdio: ['ignore', 'pipe', 'inherit'] })
    await new Promise(resolve => child.stdout.once('data', resolve))
    await sleep(5 + round * 12)
    const ended = new Promise(resolve => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
    await recoverFolders(parent)
    const versions = await Promise.all((await readdir(target)).map(name => readFile(join(target, name), 'utf8')))
    expect(versions).toHaveLength(20)
    expect(new Set(versions).size).toBe(1)
    expect(readdirSync(parent)).toEqual(['best'])
  }
}, 60_000)

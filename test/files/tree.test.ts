import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { listFiles, listVisibleFiles } from '../../src/files/tree'
import { temporaryFolder } from '../helpers/temporaryFolder'

it('lists the files of a folder and those below it, hidden ones too unless the visible are asked for', async () => {
  const folder = temporaryFolder()
  for (const path of ['b/c', '.hidden/d', '.git', 'node_modules/e']) mkdirSync(join(folder, path), { recursive: true })
  for (const path of ['a', 'b/c/x', 'b/.y', '.hidden/d/z', '.git/config', 'node_modules/e/f'])
    writeFileSync(join(folder, path), '')
  expect(await listFiles(folder)).toEqual(['.hidden/d/z', 'a', 'b/.y', 'b/c/x'])
  expect(await listVisibleFiles(folder)).toEqual(['a', 'b/c/x'])
})

it('does not look into hidden folders for visible files: others may be removing them', async () => {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'a'), '')
  const over = new AbortController()
  const lists = (async () => {
    for (let i = 0; i < 60; i++) expect(await listVisibleFiles(folder)).toEqual(['a'])
  })().finally(() => over.abort())
  while (!over.signal.aborted) {
    for (let i = 0; i < 20; i++) mkdirSync(join(folder, `.tmp-push-1.${i}/0/onnx`), { recursive: true })
    await new Promise(resolve => setImmediate(resolve))
    for (let i = 0; i < 20; i++) rmSync(join(folder, `.tmp-push-1.${i}`), { recursive: true })
    await new Promise(resolve => setImmediate(resolve))
  }
  await lists
})

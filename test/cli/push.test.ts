import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { runCli } from '../helpers/runCli'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { useHub } from '../helpers/useHub'

const tokens = { hf_loopback: { name: 'loopback', orgs: ['acme'], role: 'write' } } as const
const used = useHub({ tokens: structuredClone(tokens) as never, token: 'hf_loopback' })

function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = join(temporaryFolder(), 'reviews')
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, path, '..'), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return folder
}

const model = { 'config.json': '{}', 'onnx/model.onnx': 'graph' }

describe('push', () => {
  it('makes one commit of the files, without checkpoints and hidden ones', async () => {
    const folder = folderOf({
      ...model,
      'checkpoint-5/config.json': '{}',
      '_notes.txt': 'n',
      'report.html': 'texts',
      '.env': 'hf_secret',
    })
    const { status, out, error } = await runCli(['push', folder, 'acme/reviews', '--private'])
    expect({ status, error }).toEqual({ status: 0, error: '' })
    expect(out).toMatch(/\/acme\/reviews\/commit\/[0-9a-f]{40}$/)
    expect(used.hub.repository('model', 'acme/reviews')?.private).toBe(true)
    const files = Object.keys(used.hub.files('model', 'acme/reviews'))
    expect(files.filter(path => path !== '.gitattributes').toSorted()).toEqual(['config.json', 'onnx/model.onnx'])
    expect(used.hub.commits('model', 'acme/reviews')[0]!.message).toBe('Upload reviews')
  })

  it('takes a branch, a message, and a pull request', async () => {
    const folder = folderOf(model)
    const words = ['push', folder, 'reviews', '--revision', 'next', '--message', 'Second', '--description', 'More.']
    expect((await runCli(words)).status).toBe(0)
    expect(used.hub.commits('model', 'loopback/reviews', 'next')[0]!.message).toBe('Second')
    const { out } = await runCli(['push', folder, 'reviews', '--create-pr'])
    expect(out).toMatch(/loopback\/reviews\/discussions\/\d+$/)
  })

  it('says what is wrong, and never the token', async () => {
    const folder = folderOf(model)
    const cases: [string[], number, string][] = [
      [[], 2, 'push needs a folder and the name of a repository.'],
      [[folder], 2, `push needs a folder and the name of a repository for ${folder}.`],
      [[folder, 'a', '--privat'], 2, 'Did you mean --private?'],
      [[folder, 'a', 'hf_loopback'], 2, "push does not take 'hf_…'"],
      [['./nowhere', 'a'], 1, './nowhere is not there.'],
      [[folderOf({ '.env': '' }), 'a'], 1, 'has no files to push'],
      [[folder, 'a b'], 1, 'cannot be the name of a repository'],
      [[folder, 'google/a'], 1, 'may not do this'],
    ]
    for (const [words, expected, message] of cases) {
      const { status, error } = await runCli(['push', ...words])
      expect({ words, status }).toEqual({ words, status: expected })
      expect(error).toContain(message)
      expect(error).not.toContain('hf_loopback')
    }
    vi.stubEnv('HF_TOKEN', '')
    expect((await runCli(['push', folder, 'a'])).error).toMatch(/There is no token .*npx ts-trainer login/)
  })
})

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { textFiles } from '../../src/files/textFiles'
import { loadTokenizer } from '../../src/tokenizers/tokenizer'
import { filesInMemory } from './inMemory'

const fixture = join(import.meta.dirname, '../fixtures/data/bert-tiny')

it('a tokenizer needs no disk: it is read from and saved to whatever keeps texts', async () => {
  const names = ['vocab.txt', 'tokenizer_config.json']
  const texts = Object.fromEntries(names.map(name => [name, readFileSync(join(fixture, name), 'utf8')]))
  const folders = new Map([['here', texts]])
  const files = filesInMemory(folders)
  const tokenizer = await loadTokenizer('here', files)
  const expected = (await loadTokenizer(fixture, textFiles))('the cat sat')
  expect(tokenizer('the cat sat')).toEqual(expected)
  await tokenizer.save('there')
  expect(Object.keys(folders.get('there')!)).toEqual([
    'tokenizer.json',
    'tokenizer_config.json',
    'special_tokens_map.json',
  ])
  expect((await loadTokenizer('there', files))('the cat sat')).toEqual(expected)
  await expect(loadTokenizer('nowhere', files)).rejects.toThrow(/nowhere has no tokenizer.*the folder does not exist/)
  folders.set('empty', {})
  await expect(loadTokenizer('empty', files)).rejects.toThrow(/the folder has no files/)
})

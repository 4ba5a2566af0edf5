import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { copyFile, mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { setLogLevel, setLogSink } from '../../src/logging'
import { hasWholeWeights, loadWeights, saveWeights } from '../../src/files/weights'
import { Tensor } from '../../src/tensor'
import { fixture } from '../checkpoint/fixture'
import { temporaryFolder } from '../helpers/temporaryFolder'

const root = temporaryFolder()
let counter = 0

function emptyFolder(): string {
  const folder = join(root, String(counter++))
  mkdirSync(folder)
  return folder
}

function named(sizes: Record<string, number>): [string, Tensor<'float32'>][] {
  return Object.entries(sizes).map(([name, size]) => [
    name,
    new Tensor('float32', new Float32Array(size).fill(size), [size]),
  ])
}

describe('shards', () => {
  it("are split like Hugging Face's, and read back", async () => {
    const folder = emptyFolder()
    const tensors = named({ a: 10, b: 10, c: 100, d: 5, e: 5 })
    expect(await saveWeights(folder, tensors, { maxShardSize: 100 })).toEqual([
      'model-00001-of-00003.safetensors',
      'model-00002-of-00003.safetensors',
      'model-00003-of-00003.safetensors',
      'model.safetensors.index.json',
    ])
    // What split_torch_state_dict_into_shards of huggingface_hub 2.4.0 gives for these sizes.
    expect(JSON.parse(readFileSync(join(folder, 'model.safetensors.index.json'), 'utf8'))).toEqual({
      metadata: { total_parameters: 130, total_size: 520 },
      weight_map: {
        a: 'model-00002-of-00003.safetensors',
        b: 'model-00002-of-00003.safetensors',
        c: 'model-00001-of-00003.safetensors',
        d: 'model-00002-of-00003.safetensors',
        e: 'model-00003-of-00003.safetensors',
      },
    })
    const source = await loadWeights(folder)
    expect(source.files).toHaveLength(3)
    for (const [name, tensor] of tensors) expect(await source.read(name)).toEqual(tensor)
    expect(source.shapes.get('c')).toEqual([100])
    await expect(source.read('z')).rejects.toThrow("no tensor 'z'")
    await source.close()
  })

  it('are replaced by a single file, and replace one', async () => {
    const folder = emptyFolder()
    await writeFile(join(folder, 'model_card.md'), '')
    await saveWeights(folder, named({ a: 10, b: 10 }), { maxShardSize: '0.05KB' })
    await saveWeights(folder, named({ a: 10, b: 10 }))
    expect(readdirSync(folder).sort()).toEqual(['model.safetensors', 'model_card.md'])
    await saveWeights(folder, named({ a: 10, b: 10 }), { maxShardSize: 40 })
    expect(readdirSync(folder)).toHaveLength(4)
    await expect(saveWeights(folder, [], { maxShardSize: 'much' })).rejects.toThrow(`such as '5GB', not "much"`)
  })

  it('are refused when one is missing, lacks its tensor, or is elsewhere', async () => {
    const folder = emptyFolder()
    await saveWeights(folder, named({ a: 10, b: 10 }), { maxShardSize: 40 })
    expect(await hasWholeWeights(folder)).toBe(true)
    const index = join(folder, 'model.safetensors.index.json')
    for (const name of [
      '../x.safetensors',
      '/etc/x.safetensors',
      'a/../../x.safetensors',
      'C:\\x.safetensors',
      '..\\x.safetensors',
      '',
    ]) {
      await writeFile(index, JSON.stringify({ weight_map: { a: name } }))
      await expect(loadWeights(folder)).rejects.toThrow(
        `names the file ${JSON.stringify(name)}, which is not inside its folder`,
      )
    }
    await writeFile(index, JSON.stringify({ weight_map: { c: 'model-00001-of-00002.safetensors' } }))
    await expect(loadWeights(folder)).rejects.toThrow(
      "says that tensor 'c' is in model-00001-of-00002.safetensors, but it is not",
    )
    await writeFile(index, JSON.stringify({ weight_map: { a: 'model-00003-of-00003.safetensors' } }))
    await expect(loadWeights(folder)).rejects.toThrow('There is no file')
    expect(await hasWholeWeights(folder)).toBe(false)
    await writeFile(index, '{}')
    await expect(loadWeights(folder)).rejects.toThrow('has no weight_map')
  })
})

describe('a folder', () => {
  it('may hold links, like the cache of the Hub', async () => {
    const folder = emptyFolder()
    await symlink(fixture('floats.safetensors'), join(folder, 'model.safetensors'))
    const source = await loadWeights(folder)
    expect([...source.shapes]).toEqual([
      ['A', []],
      ['encoder.bias', [2]],
      ['encoder.weight', [2, 3]],
    ])
    await source.close()
  })

  it('without weights is refused, naming what it has', async () => {
    const folder = emptyFolder()
    await writeFile(join(folder, 'tf_model.h5'), '')
    await expect(loadWeights(folder)).rejects.toThrow('or pytorch_model.bin, found tf_model.h5. Save the model there')
    await rm(folder, { recursive: true })
    await expect(loadWeights(folder)).rejects.toThrow(`There is no folder ${folder}`)
  })
})

describe('pytorch_model.bin', () => {
  const expected = JSON.parse(readFileSync(fixture('state.json'), 'utf8')) as Record<
    string,
    { dims: number[]; values: (number | string)[] }
  >

  it.each(['zip', 'old'])('of the %s format has the values that PyTorch wrote', async format => {
    const source = await loadWeights(fixture(format))
    expect([...source.shapes.keys()]).toEqual(Object.keys(expected))
    for (const [name, { dims, values }] of Object.entries(expected)) {
      const tensor = await source.read(name)
      expect(tensor.dims).toEqual(dims)
      expect([...tensor.data]).toEqual(values.map(value => Math.fround(Number(value))))
    }
    await source.close()
  })

  it.each(['nested-zip', 'nested-old'])('%s: a state dict beside other things is found', async name => {
    const messages: string[] = []
    setLogLevel('info')
    setLogSink((_level, message) => void messages.push(message))
    const source = await loadWeights(fixture(name))
    setLogLevel('warning')
    expect(messages).toEqual([
      `The weights of ${join(fixture(name), 'pytorch_model.bin')} stand under "state_dict", and are taken from there.`,
    ])
    const names = ['encoder.weight', 'encoder.bias', 'A'].map(tensor => `module._orig_mod.${tensor}`)
    expect([...source.shapes.keys()]).toEqual(names)
    expect([...(await source.read(names[0]!)).data]).toEqual([0, 1, 2, 3, 4, 5])
    expect([...(await source.read(names[1]!)).data]).toEqual([0.5, -0.5])
    expect(source.types.get(names[0]!)).toBe('float32')
    await source.close()
  })

  it('beside a tensor at the top is the one under the usual key', async () => {
    const source = await loadWeights(fixture('beside-tensors'))
    expect([...source.shapes.keys()]).toEqual(['encoder.weight', 'encoder.bias', 'A'])
    expect([...(await source.read('encoder.bias')).data]).toEqual([0.5, -0.5])
    await source.close()
  })

  it('with two state dicts is refused, since either may be meant', async () => {
    await expect(loadWeights(fixture('two-dicts'))).rejects.toThrow(
      'it is a dict of "teacher", "student", and "teacher", "student" hold tensors by name. Save the model as safetensors',
    )
  })

  it('executes nothing', async () => {
    const folder = emptyFolder()
    await copyFile(fixture('evil.bin'), join(folder, 'pytorch_model.bin'))
    await expect(loadWeights(folder)).rejects.toThrow(
      'pytorch_model.bin contains the name posix.system, which the weights of a model do not need; ' +
        'nothing was executed. Save the model as safetensors',
    )
    expect(readdirSync(folder)).toEqual(['pytorch_model.bin'])
  })

  it.each(['zip', 'old'])('of the %s format is refused wherever it is cut', async format => {
    const folder = join(root, `cut-${format}`)
    await mkdir(folder)
    const bytes = readFileSync(join(fixture(format), 'pytorch_model.bin'))
    for (let length = 0; length < bytes.length; length += 37) {
      await writeFile(join(folder, 'pytorch_model.bin'), bytes.subarray(0, length))
      await expect(loadWeights(folder)).rejects.toMatchObject({ name: 'TrainerError', code: 'file' })
    }
  })

  it('fails with a clear error or not at all, whatever byte is changed', async () => {
    const folder = emptyFolder()
    const path = join(folder, 'pytorch_model.bin')
    const failures: unknown[] = []
    for (const format of ['zip', 'old']) {
      const bytes = readFileSync(join(fixture(format), 'pytorch_model.bin'))
      for (let at = 0; at < bytes.length; at += 11) {
        const changed = Buffer.from(bytes)
        changed[at]! ^= 0xff
        await writeFile(path, changed)
        await loadWeights(folder).then(
          source => source.close(),
          error => failures.push(error),
        )
      }
    }
    expect(failures.length).toBeGreaterThan(0)
    for (const failure of failures) expect(failure).toMatchObject({ name: 'TrainerError', code: 'file' })
  })
})

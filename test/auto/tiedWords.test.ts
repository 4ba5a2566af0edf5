// the two names that a head's table and bias may have in a file (scripts/fixtures/tiedWords.py)
import { readdirSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { AutoModelForMaskedLM, type ModelConfig, type PreTrainedModel, Tensor } from '../../src/index'
import { loadWeights, saveWeights } from '../../src/files/weights'
import { filler } from '../../src/heads/tokenLabels'
import { architectures } from '../../src/models/registry'
import { Runner } from '../../src/training/Runner'
import { logMessages } from '../helpers/logMessages'
import { temporaryFolder } from '../helpers/temporaryFolder'

interface Variant {
  readonly name: string
  readonly tie: boolean
  /** Names that a file has beside the tensors of its own, with the tensor that stands there. */
  readonly put: Record<string, string>
  /** Tensors that are not there under their own names. */
  readonly leave: string[]
  readonly missing: string[]
  readonly unexpected: string[]
  readonly logits: number[] | null
}
interface Case {
  readonly input_ids: number[][]
  readonly attention_mask: number[][]
  readonly cases: Variant[]
}

const root = join(import.meta.dirname, '../fixtures/tiedWords')
const read = <T>(...path: string[]): T => JSON.parse(readFileSync(join(root, ...path), 'utf8')) as T
const messages = logMessages()

/** A folder that has what a variant's file has. */
async function folderOf(family: string, { tie, put, leave }: Variant): Promise<string> {
  const folder = temporaryFolder()
  const config = read<ModelConfig>(family, 'config.json')
  const className = architectures[config.model_type]!.heads['masked-lm']!.className
  await writeFile(
    join(folder, 'config.json'),
    JSON.stringify({ ...config, tie_word_embeddings: tie, architectures: [className] }),
  )
  const source = await loadWeights(join(root, family))
  const names = [...source.shapes.keys()].filter(name => !leave.includes(name)).map(name => [name, name] as const)
  const tensors = new Map<string, Tensor<'float32'>>()
  for (const [name, tensor] of [...names, ...Object.entries(put)]) tensors.set(name, await source.read(tensor))
  await source.close()
  await saveWeights(folder, tensors)
  return folder
}

async function logitsOf(model: PreTrainedModel, { input_ids, attention_mask }: Case): Promise<number[]> {
  const runner = await Runner.create({ model, engine: { threads: 1 } })
  const batch = { input_ids: Tensor.from('int32', input_ids), attention_mask: Tensor.from('int32', attention_mask) }
  const { logits } = await (await runner.forward(runner.feed(batch, String))).predictions()
  await runner.dispose()
  return Array.from(logits!.data as Float32Array)
}

/** The names in brackets of the message that begins so. */
function named(part: string): string[] {
  const message = messages.find(text => text.includes(part)) ?? ''
  return Array.from((/\[(.*)\]/.exec(message)?.[1] ?? '').matchAll(/'([^']+)'/g), match => match[1]!).toSorted()
}

describe.each(readdirSync(root))('the head of %s for hidden words', family => {
  const oracle = read<Case>(family, 'case.json')
  it.each(oracle.cases.map(variant => [variant.name, variant] as const))('%s', async (_, variant) => {
    const model = await AutoModelForMaskedLM.fromPretrained(await folderOf(family, variant))
    // Python misses a bias that nothing reads
    const idle = (name: string): boolean => !variant.tie && !name.includes('decoder') && name.endsWith('.bias')
    expect(named('newly initialized')).toEqual(variant.missing.filter(name => !idle(name)))
    expect(named('were not used')).toEqual(variant.unexpected)
    if (variant.logits === null) return
    const logits = await logitsOf(model, oracle)
    const largest = Math.max(...variant.logits.map(Math.abs))
    variant.logits.forEach((value, i) => {
      if (logits[i] !== filler) expect(Math.abs(logits[i]! - value), String(i)).toBeLessThan(2e-5 * largest)
    })

    // what is saved is the same model
    const saved = temporaryFolder()
    await model.savePretrained(saved)
    messages.length = 0
    const again = await AutoModelForMaskedLM.fromPretrained(saved)
    expect(messages).toEqual([])
    expect([...again.parameters]).toEqual([...model.parameters])
  })

  it('says that a table which the file has twice is not tied', async () => {
    const twice = oracle.cases.find(({ name }) => name === 'other table')!
    const model = await AutoModelForMaskedLM.fromPretrained(await folderOf(family, twice))
    expect(messages.join('\n')).toMatch(/has both, with different values\. As in Python each keeps its own/)
    expect(model.config.tie_word_embeddings).toBe(false)
  })
})

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { cases } from '../../scripts/examples/cases'
import { choices, questions } from '../../scripts/examples/rows'
import { runExample } from '../../scripts/examples/run'
import { temporaryFolder } from '../helpers/temporaryFolder'

const examples = join(import.meta.dirname, '../../examples')
/** No scripts of the suite: what they share, and the first two. */
const shared = ['flags.ts', 'quickstart.ts', 'train.ts', join('glue', 'run.ts'), join('glue', 'tasks.ts')]
const scripts = readdirSync(examples, { recursive: true, encoding: 'utf8' })
  .filter(file => file.endsWith('.ts') && !shared.includes(file))
  .map(file => file.slice(0, -'.ts'.length).replaceAll('\\', '/'))

describe('npm run examples', () => {
  it('has every example', () => {
    expect([...new Set(cases.map(({ script }) => script))].toSorted()).toEqual(scripts.toSorted())
  })

  it.each(scripts)('%s says at its head, in five lines at most, what it does and how it is run', script => {
    const head = /^(\/\/.*\n)+/.exec(readFileSync(join(examples, `${script}.ts`), 'utf8'))![0]
    expect(head.trimEnd().split('\n').length).toBeLessThanOrEqual(5)
    expect(head).toContain(`//   npx tsx examples/${script}.ts --model `)
  })

  it.each(['smsa', 'ner', 'maskedLanguageModel', 'ownHead', 'embed'])(
    '%s learns sixteen rows by heart',
    async script => {
      const { passed, text } = await runExample(
        cases.find(example => example.script === script)!,
        temporaryFolder(),
      )
      expect(passed, text).toBe(true)
    },
  )

  it.each(['cnn', 'mlp'])('digits trains the %s of PyTorch on pictures', async model => {
    const flags = [`--model=${model}`, '--share=0.1', '--num_train_epochs=6']
    const { passed, text } = await runExample(
      { script: 'digits', files: {}, result: 'eval_accuracy', goal: 0.8, flags },
      temporaryFolder(),
    )
    expect(passed, text).toBe(true)
  })

  it('multipleChoice takes splits that lie in the folder itself, and saves what training came to', async () => {
    const folder = temporaryFolder()
    const [train, validation] = [choices(), choices()]
    await runExample(
      { script: 'multipleChoice', files: { train, validation }, result: 'eval_accuracy', flags: ['--max_steps=2'] },
      folder,
    )
    const read = (name: string): unknown => JSON.parse(readFileSync(join(folder, 'out', name), 'utf8'))
    expect(read('train_results.json')).toHaveProperty('train_loss')
    expect(read('all_results.json')).toMatchObject({ train_loss: expect.any(Number), eval_loss: expect.any(Number) })
    expect(read('trainer_state.json')).toHaveProperty('log_history')
  })

  it('questionAnswering asks at the start for the flag that questions without an answer need', async () => {
    const unanswered = questions().map((row, index) => ({
      ...row,
      id: `none${index}`,
      answers: { text: [], answer_start: [] },
    }))
    const files = { train: questions(), validation: [...questions(), ...unanswered] }
    const example = { script: 'questionAnswering', files, result: 'eval_f1' }
    await expect(runExample(example, temporaryFolder())).rejects.toThrow(/no answer: add --version_2_with_negative\./)
    const flags = ['--version_2_with_negative', '--max_steps=1', '--max_seq_length=24', '--doc_stride=8']
    await expect(runExample({ ...example, flags }, temporaryFolder())).resolves.toHaveProperty('text')
  })
})

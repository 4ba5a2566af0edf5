import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PrinterCallback, Trainer } from 'ts-trainer'
import { describe, expect, it, vi } from 'vitest'
import { smallModel } from '../helpers/classifier'
import { runCli } from '../helpers/runCli'
import { temporaryFolder } from '../helpers/temporaryFolder'

const examples = join(import.meta.dirname, '../../examples/glue')

const words = [
  'good',
  'bad',
  'the film',
  'a meal',
  'never again',
  'it rains',
  'they sing',
  'no one came',
  'why not',
  'of course',
]

/** The tasks of GLUE: names of its text columns as on the Hub, its number of classes, the keys of its metric. */
const tasks: readonly [task: string, columns: readonly string[], classes: number, keys: readonly string[]][] = [
  ['cola', ['sentence'], 2, ['eval_matthews_correlation']],
  ['mnli', ['premise', 'hypothesis'], 3, ['eval_accuracy', 'eval_accuracy_mm', 'eval_loss_mm']],
  ['mnli-mm', ['premise', 'hypothesis'], 3, ['eval_accuracy']],
  ['mrpc', ['sentence1', 'sentence2'], 2, ['eval_accuracy', 'eval_f1']],
  ['qnli', ['question', 'sentence'], 2, ['eval_accuracy']],
  ['qqp', ['question1', 'question2'], 2, ['eval_accuracy', 'eval_f1']],
  ['rte', ['sentence1', 'sentence2'], 2, ['eval_accuracy']],
  ['sst2', ['sentence'], 2, ['eval_accuracy']],
  ['stsb', ['sentence1', 'sentence2'], 1, ['eval_pearson', 'eval_spearmanr']],
  ['wnli', ['sentence1', 'sentence2'], 2, ['eval_accuracy']],
]

describe('examples/glue', () => {
  it.each(tasks)(
    'trains on %s: its columns, head and metric, the evaluation as the last line',
    async (task, columns, classes, keys) => {
      const folder = temporaryFolder()
      await writeModel(join(folder, 'model'))
      const isMnli = task.startsWith('mnli')
      writeTask(
        join(folder, 'glue', isMnli ? 'mnli' : task),
        columns,
        classes,
        isMnli ? ['validation_matched', 'validation_mismatched'] : ['validation'],
      )
      const lines = await runGlue(
        task,
        '--model',
        join(folder, 'model'),
        '--data',
        join(folder, 'glue'),
        '--output_dir',
        join(folder, 'out'),
        '--max_steps',
        '2',
        '--max_train_samples',
        '16',
        '--max_eval_samples',
        '6',
        '--per-device-train-batch-size',
        '4',
        '--disable_tqdm',
        '--log_level',
        'error',
        '--seed',
        '7',
        '--ignore_mismatched_sizes',
      )
      const result = JSON.parse(lines.at(-1)!) as Record<string, number>
      expect(result).toMatchObject({
        task,
        eval_loss: expect.any(Number),
        train_loss: expect.any(Number),
        eval_samples_per_second: expect.any(Number),
        epoch: 0.5,
      })
      for (const key of keys) expect(result, key).toHaveProperty(key)
      const config = JSON.parse(readFileSync(join(folder, 'out/config.json'), 'utf8')) as Record<string, unknown>
      expect(Object.keys(config['id2label'] as object)).toHaveLength(classes)
      expect(config['problem_type']).toBe(classes === 1 ? 'regression' : 'single_label_classification')
      expect(existsSync(join(folder, 'out/onnx/model.onnx'))).toBe(true)
      const saved = JSON.parse(readFileSync(join(folder, 'out/training_args.json'), 'utf8')) as Record<string, unknown>
      expect(saved).toMatchObject({ max_steps: 2, per_device_train_batch_size: 4, seed: 7 })
    },
  )

  it('resumes from a checkpoint', async () => {
    const folder = temporaryFolder()
    await writeModel(join(folder, 'model'))
    writeTask(join(folder, 'glue/sst2'), ['sentence'], 2, ['validation'])
    const flags = [
      '--model',
      join(folder, 'model'),
      '--data',
      join(folder, 'glue'),
      '--output_dir',
      join(folder, 'out'),
      '--save_steps',
      '2',
      '--disable_tqdm',
      '--log_level',
      'error',
    ]
    const whole = JSON.parse((await runGlue('sst2', ...flags, '--max_steps', '4')).at(-1)!) as Record<string, number>
    const resumed = JSON.parse(
      (
        await runGlue(
          'sst2',
          ...flags,
          '--max_steps',
          '4',
          '--resume_from_checkpoint',
          join(folder, 'out/checkpoint-2'),
        )
      ).at(-1)!,
    ) as Record<string, number>
    expect([resumed['train_loss'], resumed['eval_loss']]).toEqual([whole['train_loss'], whole['eval_loss']])
  })

  it('lists its flags with --help, and refuses what is wrong by name', async () => {
    const help = (await runGlue('mrpc', '--help')).join('\n')
    expect(help).toMatch(/^Usage: npx tsx examples\/glue\/mrpc\.ts --model ID --data ID/)
    expect(help).toMatch(/--num_train_epochs NUMBER .*\[3\]\n/)
    for (const flag of ['--max_train_samples', '--learning_rate', '--warmup_steps']) expect(help).toContain(flag)
    await expect(runGlue('mrpc', '--model', 'm')).rejects.toThrow('--data is missing')
    await expect(runGlue('mrpc', '--model', 'm', '--data', 'd', '--learnig_rate', '1')).rejects.toThrow(
      /learning_?rate/i,
    )
  })

  it('has a short script for each of the tasks', () => {
    const scripts = readdirSync(examples).filter(name => !['run.ts', 'tasks.ts'].includes(name))
    expect(scripts.toSorted()).toEqual(tasks.map(([task]) => `${task}.ts`).toSorted())
    for (const script of scripts)
      expect(readFileSync(join(examples, script), 'utf8').split('\n').length, script).toBeLessThan(10)
  })

  it('is a command too', async () => {
    const folder = temporaryFolder()
    await writeModel(join(folder, 'model'))
    writeTask(join(folder, 'glue/mrpc'), ['sentence1', 'sentence2'], 2, ['validation'])
    const quiet = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    const words = [
      '--model',
      join(folder, 'model'),
      '--data',
      join(folder, 'glue'),
      '--output_dir',
      join(folder, 'out'),
    ]
    const train = (...more: string[]) => runCli(['glue', ...words, '--max_steps', '1', ...more])
    const { status, out, error } = await train('--task', 'MRPC')
    const aborted = await runCli(['glue', ...words, '--task', 'mrpc'], { interrupt: AbortSignal.abort() })
    quiet.mockRestore()
    expect([status, aborted.status]).toEqual([0, 130])
    expect(JSON.parse(out)).toMatchObject({
      task: 'mrpc',
      model: expect.any(String),
      eval_accuracy: expect.any(Number),
      eval_f1: expect.any(Number),
    })
    expect(error).toMatch(/^task +mrpc\nmodel /)
    expect(error).toMatch(/predict \S+ FILE --text sentence1 --text sentence2$/)
    const wrong = await train('--task', 'mrcp')
    expect(wrong).toMatchObject({ status: 2, error: expect.stringContaining('Did you mean mrpc?') })
    expect((await train()).error).toContain('--task is missing')
    expect((await runCli(['glue', '--help'])).out.split('\n').filter(line => line.length >= 80)).toEqual([])
  })
})

/** A task's script in this process, read anew; what it prints on stdout. */
async function runGlue(task: string, ...flags: string[]): Promise<string[]> {
  const lines: string[] = []
  const ended = new Error('process.exit()')
  const before = process.argv
  const spies = [
    vi.spyOn(console, 'log').mockImplementation(text => void lines.push(String(text))),
    vi.spyOn(process.stderr, 'write').mockReturnValue(true),
    vi.spyOn(process, 'exit').mockImplementation(() => {
      throw ended
    }),
  ]
  process.argv = [process.execPath, `${task}.ts`, ...flags]
  try {
    await import(/* @vite-ignore */ `${examples}/${task}.ts?run=${crypto.randomUUID()}`)
  } catch (error) {
    if (error !== ended) throw error
  } finally {
    process.argv = before
    for (const spy of spies) spy.mockRestore()
  }
  return lines
}

async function writeModel(folder: string): Promise<void> {
  const trainer = new Trainer({ model: smallModel(), args: { outputDir: folder } })
  trainer.removeCallback(PrinterCallback)
  await trainer.saveModel()
  cpSync(join(import.meta.dirname, '../../examples/data/tokenizer'), folder, { recursive: true })
}

/** 20 rows for each split, as JSON Lines; several classes in turn, or numbers. */
function writeTask(folder: string, columns: readonly string[], classes: number, validation: readonly string[]): void {
  mkdirSync(folder, { recursive: true })
  for (const split of ['train', ...validation]) {
    const rows = Array.from({ length: 20 }, (_, row) => ({
      ...Object.fromEntries(columns.map((column, at) => [column, `${words[row % 10]} ${words[(row * 3 + at) % 10]}`])),
      label: classes === 1 ? row / 4 : row % classes,
      idx: row,
    }))
    writeFileSync(join(folder, `${split}.jsonl`), rows.map(row => `${JSON.stringify(row)}\n`).join(''))
  }
}

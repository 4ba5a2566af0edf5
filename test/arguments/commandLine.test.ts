import { describe, expect, it } from 'vitest'
import { parseTrainingArguments } from '../../src/arguments/commandLine'
import { snakeCase } from '../../src/arguments/spelling'
import { argumentNames, argumentRow } from '../../src/arguments/table'

describe('the command line', () => {
  const parse = (...argv: string[]) =>
    parseTrainingArguments(argv, {
      extra: {
        task: { type: 'text', help: 'GLUE task', default: 'mrpc' },
        seeds: { type: 'list', help: 'Seeds' },
        quick: { type: 'flag', help: 'Less of it', default: false },
      },
      readText: () => 'learning_rate: 1e-3\nseed: 7\ntask: rte\n',
    })

  it('takes every argument as a flag in three spellings', () => {
    for (const name of argumentNames) {
      const { default: initial, refused } = argumentRow(name)
      if (refused !== undefined || typeof initial !== 'number') continue
      for (const flag of [name, snakeCase(name), snakeCase(name).replaceAll('_', '-')]) {
        expect(parse(`--${flag}`, String(initial)).args[name]).toBe(initial)
        expect(parse(`--${flag}=${initial}`).args[name]).toBe(initial)
      }
    }
  })

  it('reads switches, lists, numbers, options, and keeps the rest', () => {
    const { args, extra, rest } = parse(
      'first',
      '--learning_rate',
      '5e-5',
      '--eval-on-start',
      '--no_remove_unused_columns',
      '--loggingFirstStep',
      'true',
      '--max_steps',
      '-1',
      '--label_names',
      'a',
      'b',
      '--include_for_metrics=inputs,loss',
      '--lr_scheduler_type',
      'cosine',
      '--lr_scheduler_kwargs',
      '{"num_cycles": "2"}',
      '--optim',
      'sgd',
      '--optim_args',
      'momentum=0.9',
      '--save_total_limit',
      'none',
      '--task',
      'sst2',
      '--seeds',
      '1',
      '2',
      '--quick',
      '--',
      '--left',
    )
    expect(args).toMatchObject({
      learningRate: 5e-5,
      evalOnStart: true,
      removeUnusedColumns: false,
      loggingFirstStep: true,
      maxSteps: -1,
      labelNames: ['a', 'b'],
      includeForMetrics: ['inputs', 'loss'],
      lrSchedulerKwargs: { numCycles: 2 },
      optimArgs: { momentum: 0.9 },
      saveTotalLimit: undefined,
    })
    expect(extra).toEqual({ task: 'sst2', seeds: ['1', '2'], quick: true })
    expect(rest).toEqual(['first', '--left'])
  })

  it('lets flags override the file, and the file the defaults', () => {
    const { args, extra } = parse('--config', 'a.yaml', '--seed', '9')
    expect([args.learningRate, args.seed, args.weightDecay, extra.task]).toEqual([1e-3, 9, 0, 'rte'])
    expect(parseTrainingArguments(['--seed', '1'], { defaults: { seed: 5, learningRate: 1 } }).args).toMatchObject({
      seed: 1,
      learningRate: 1,
    })
  })

  it('reads texts that are given one at a time, and from a file as a list or as one', () => {
    const read = (argv: readonly string[], file = '') =>
      parseTrainingArguments(argv, {
        extra: { text: { type: 'texts', help: 'Columns' }, part: { type: 'text', help: 'A share or a file' } },
        readText: () => file,
      })
    const { extra, rest } = read(['--text', 'a', 'rest', '--text=b'])
    expect({ extra, rest }).toEqual({ extra: { text: ['a', 'b'], part: undefined }, rest: ['rest'] })
    expect(read(['--config', 'x'], 'text: [a, b]\npart: 0.2').extra).toEqual({ text: ['a', 'b'], part: '0.2' })
    expect(read(['--config', 'x', '--text', 'c'], 'text: a').extra.text).toEqual(['c'])
    expect(read(['--config', 'x'], 'text: a').extra.text).toEqual(['a'])
    expect(read(['--help']).help).toContain('\n  --text TEXT')
  })

  it('refuses unknown flags and wrong values', () => {
    expect(() => parse('--learning_rat', '1')).toThrow(
      '--learning_rat: learningRat is not a training argument. Did you mean learningRate?',
    )
    expect(() => parse('--evaluation_strategy', 'epoch')).toThrow('it is now evalStrategy')
    expect(() => parse('--tas', 'x')).toThrow('Did you mean --task?')
    expect(() => parse('--learning_rate', 'fast')).toThrow("--learning_rate should be a number, but is 'fast'.")
    expect(() => parse('--learning_rate')).toThrow('--learning_rate needs a value.')
    expect(() => parse('--eval_on_start=maybe')).toThrow('should be true or false')
    expect(parse('--fp16').args.fp16).toBe(true)
    expect(parse('--no_fp16', '--bf16', 'false').args.fp16).toBe(false)
    expect(() => parse('--bf16', '--device', 'webgpu')).toThrow("bfloat16 on 'webgpu' cannot be had: WebGPU has no")
    expect(() =>
      parseTrainingArguments([], { extra: { model: { type: 'text', help: 'Folder', required: true } } }),
    ).toThrow('--model is missing: Folder')
    expect(() => parseTrainingArguments(['--config', 'x'])).toThrow('does not read configuration files')
  })

  it('writes the help from the table', () => {
    const { help } = parse('--help')
    expect(help).toContain('--task TEXT')
    for (const name of argumentNames) {
      if (argumentRow(name).refused === undefined) expect(help).toContain(`--${snakeCase(name)}`)
      else expect(help).not.toContain(`--${snakeCase(name)} `)
    }
    expect(parse('-h').help).toBe(help)
    expect(parseTrainingArguments(['--help'], { defaults: { learningRate: 0.25 } }).help).toMatch(
      /--learning_rate NUMBER[^[]*\[0\.25\]/,
    )
    expect(help!.split('\n').filter(line => line.length >= 80)).toEqual([])
    expect(help).toContain(
      '\n  --per_device_train_batch_size NUMBER\n                            Rows in a micro-batch. [8]',
    )
    expect(parse().help).toBeUndefined()
  })
})

import { describe, expect, it } from 'vitest'
import { workReporter } from '../../src/terminal/workProgress'
import { rememberingStream } from '../helpers/rememberingStream'

describe('workReporter', () => {
  it('draws a bar on a terminal, no wider than it, and leaves it there full', () => {
    const terminal = rememberingStream(true)
    const report = workReporter(terminal)
    for (const done of [1000, 2000, 2382]) report({ description: 'Map (train)', done, total: 2382, elapsed: done / 2 })
    const text = terminal.written.join('')
    // oxlint-disable-next-line no-control-regex
    expect(text).toMatch(/█+ \[2382\/2382 00:00, Map \(train\)\]\x1B\[0K\n$/)
    // oxlint-disable-next-line no-control-regex
    expect(text.split(/\n|\x1B\[[\d;?]*[A-Za-z]/).every(line => line.length < 80)).toBe(true)
  })

  it('shows work that runs side by side, each by its bar', () => {
    const terminal = rememberingStream(true)
    const report = workReporter(terminal)
    report({ description: 'Map (train)', done: 10, total: 20, elapsed: 200 })
    report({ description: 'Map (test)', done: 5, total: 10, elapsed: 200 })
    report({ description: 'Map (train)', done: 20, total: 20, elapsed: 400 })
    report({ description: 'Map (test)', done: 10, total: 10, elapsed: 400 })
    expect(terminal.written.join('')).toMatch(/\[20\/20 00:00, Map \(train\)\][^]*\[10\/10 00:00, Map \(test\)\]/)
  })

  it('writes a plain line twice a minute elsewhere', () => {
    const pipe = rememberingStream(false)
    const report = workReporter(pipe)
    for (let elapsed = 1000; elapsed <= 70_000; elapsed += 1000)
      report({ description: 'Map', done: elapsed / 1000, total: 70, elapsed })
    expect(pipe.written).toEqual(['[30/70 00:30<00:40, 1.00 it/s, Map]\n', '[60/70 01:00<00:10, 1.00 it/s, Map]\n'])
    report({ description: 'Map', done: 9, total: 10, elapsed: 31_000 })
    expect(pipe.written).toHaveLength(3)
  })
})

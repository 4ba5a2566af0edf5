/** The bar of a fetch. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { hubEnvironment } from '../../src/hub/environment'
import { downloadProgress } from '../../src/hub/progress'
import { rememberingStream } from '../helpers/rememberingStream'

const files = [
  { path: 'a', size: 60_000_000, blobId: '' },
  { path: 'b', size: 30_000_000, blobId: '' },
]

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

/** What a fetch that takes 80 seconds writes. */
function shown(isTerminal: boolean, variables = {}, isWhole = true): string {
  const stream = rememberingStream(isTerminal)
  vi.useFakeTimers()
  const progress = downloadProgress(hubEnvironment(variables), 'acme/tiny', files, stream)
  for (let second = 1; second <= 80; second++) {
    vi.advanceTimersByTime(1000)
    progress.update(second % 2 === 0 ? 'a' : 'b', 375_000 * second)
  }
  progress.end(isWhole)
  return stream.written.join('')
}

describe('a fetch', () => {
  it('is one bar in megabytes on a terminal, which stays there full', () => {
    const text = shown(true)
    expect(text.includes('[ 0.4/90.0 MB 00:00<?, 2 files]')).toBe(true)
    expect(text.includes('[90.0/90.0 MB 01:19, 2 files]')).toBe(true)
    expect(text.match(/\n/g)).toHaveLength(1)
  })

  it('that fails leaves its bar as it is', () => {
    const text = shown(true, {}, false)
    expect(text.includes('90.0/90.0')).toBe(false)
    expect(text.endsWith('\n')).toBe(true)
  })

  it('is a line twice a minute elsewhere', () => {
    expect(shown(false)).toBe(
      '[22.1/90.0 MB 00:30<01:32, 0.74 MB/s, Fetching 2 files of acme/tiny]\n' +
        '[44.6/90.0 MB 01:00<01:01, 0.74 MB/s, Fetching 2 files of acme/tiny]\n',
    )
  })

  it('is not shown when it is short, or when bars are turned off', () => {
    const stream = rememberingStream(true)
    const progress = downloadProgress(hubEnvironment({}), 'acme/tiny', files, stream)
    progress.update('a', 60_000_000)
    progress.end(true)
    expect(stream.written).toEqual([])
    expect(shown(true, { HF_HUB_DISABLE_PROGRESS_BARS: '1' })).toBe('')
  })
})

import { describe, expect, it } from 'vitest'
import { LossScale } from '../../src/optim/lossScale'

/** Takes note of so many updates of one kind. */
function repeat(scale: LossScale, times: number, isFinite: boolean): void {
  for (let i = 0; i < times; i++) scale.update(isFinite)
}

describe("the loss scale, by the numbers of PyTorch's GradScaler", () => {
  it('starts at 65536, is halved by an overflow and doubled after 2000 good updates in a row', () => {
    const scale = new LossScale()
    expect(scale.scale).toBe(65536)
    repeat(scale, 1999, true)
    expect(scale.scale).toBe(65536)
    scale.update(true)
    expect(scale.scale).toBe(131072)
    repeat(scale, 1999, true)
    scale.update(false)
    expect(scale.scale).toBe(65536)
    repeat(scale, 1999, true)
    expect(scale.scale).toBe(65536)
    scale.update(true)
    expect(scale.scale).toBe(131072)
  })

  it('does not grow beyond float32', () => {
    const scale = LossScale.from({ loss_scale: 2 ** 127, loss_scale_updates: 1999 })
    scale.update(true)
    expect(scale.state()).toEqual({ loss_scale: 2 ** 127, loss_scale_updates: 0 })
  })

  it('continues where a checkpoint has left it, and starts anew where that kept none', () => {
    const scale = new LossScale()
    scale.update(false)
    repeat(scale, 1500, true)
    const kept = LossScale.from({ other: 1, ...scale.state() })
    repeat(kept, 500, true)
    expect(kept.scale).toBe(65536)
    expect(LossScale.from({}).state()).toEqual(new LossScale().state())
    expect(LossScale.from().state()).toEqual(new LossScale().state())
  })

  it('multiplies a sum of losses by a power of two at most the scale over their number', () => {
    const scale = new LossScale()
    expect([0, 1, 2, 3, 4, 32, 100].map(count => scale.factor(count))).toEqual([
      65536, 65536, 32768, 16384, 16384, 2048, 512,
    ])
  })

  it('is not to blame any more once it is down to 1', () => {
    const scale = new LossScale()
    repeat(scale, 15, false)
    expect([scale.scale, scale.canShrink]).toEqual([2, true])
    scale.update(false)
    expect([scale.scale, scale.canShrink]).toEqual([1, false])
  })
})

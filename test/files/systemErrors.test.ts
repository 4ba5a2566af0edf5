import { describe, expect, it } from 'vitest'
import type { TrainerError } from '../../src/errors'
import { isDiskFull, writeError } from '../../src/files/systemErrors'

const systemError = (code: string): Error => Object.assign(new Error(code), { code, syscall: 'write' })

describe('writeError', () => {
  it('says what helps wherever a file is written', () => {
    for (const code of ['ENOSPC', 'EDQUOT']) {
      const error = writeError('a.csv', systemError(code)) as TrainerError
      expect(error.message).toMatch(/^Cannot write a\.csv: \w+\. Free some .*, or choose a folder on another disk\.$/)
      expect(isDiskFull(error)).toBe(true)
    }
    expect(isDiskFull(writeError('a.csv', systemError('EACCES')))).toBe(false)
    expect(isDiskFull(systemError('ENOSPC'))).toBe(false)
  })
})

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { readPipSettings } from '../../src/install/pipSettings'
import { temporaryFolder } from '../helpers/temporaryFolder'

let root: string
// the one file that a test cannot move
const machine = existsSync('/etc/pip.conf') ? readFileSync('/etc/pip.conf', 'utf8') : ''

beforeEach(() => {
  root = temporaryFolder()
  for (const name of Object.keys(process.env).filter(key => /^pip_/i.test(key))) vi.stubEnv(name, '')
  vi.stubEnv('VIRTUAL_ENV', '')
  vi.stubEnv('HOME', root)
  vi.stubEnv('XDG_CONFIG_HOME', join(root, 'config'))
  vi.stubEnv('XDG_CONFIG_DIRS', join(root, 'etc'))
})

afterEach(() => vi.unstubAllEnvs())

function write(path: string, text: string): string {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
  return join(root, path)
}

describe.runIf(process.platform === 'linux' && !/index|proxy/i.test(machine))("pip's settings", () => {
  it('are those of PyPI by default', () => {
    expect(readPipSettings().indexes).toEqual(['https://pypi.org/simple'])
  })

  it('come from files, sections and variables in the order of pip', () => {
    write('etc/pip/pip.conf', '# everyone\n[global]\nindex-url = https://etc/simple\nproxy: http://proxy:1\n')
    expect(readPipSettings()).toMatchObject({ indexes: ['https://etc/simple'], others: { proxy: 'http://proxy:1' } })
    write('.pip/pip.conf', '[global]\nindex_url=https://old/simple\ncert = /my/cert.pem')
    expect(readPipSettings()).toMatchObject({ indexes: ['https://old/simple'], others: { cert: '/my/cert.pem' } })
    write(
      'config/pip/pip.conf',
      '\uFEFF[global]\r\nINDEX-URL = https://user/simple?a=b\r\nextra-index-url =\r\n' +
        '    https://one/simple\r\n    ; no\r\n    https://two/simple\r\n',
    )
    expect(readPipSettings().indexes).toEqual(['https://user/simple?a=b', 'https://one/simple', 'https://two/simple'])
    write('venv/pip.conf', '[install]\nindex-url = https://venv/simple\n[list]\nindex-url = https://list/simple\n')
    vi.stubEnv('VIRTUAL_ENV', join(root, 'venv'))
    expect(readPipSettings().indexes[0]).toBe('https://venv/simple')
    vi.stubEnv(
      'PIP_CONFIG_FILE',
      write(
        'named.conf',
        '[global]\nindex-url = https://named/simple\n[install]\nextra-index-url = https://a/simple https://b/simple',
      ),
    )
    // like pip: [install] of any file over [global] of any other
    expect(readPipSettings().indexes).toEqual(['https://venv/simple', 'https://a/simple', 'https://b/simple'])
    vi.stubEnv('PIP_INDEX_URL', 'https://variable/simple')
    vi.stubEnv('PIP_EXTRA_INDEX_URL', 'https://c/simple')
    expect(readPipSettings().indexes).toEqual(['https://variable/simple', 'https://c/simple'])
    vi.stubEnv('PIP_NO_INDEX', 'true')
    expect(readPipSettings().indexes).toEqual([])
  })

  it('come from no file if PIP_CONFIG_FILE says so; a file that cannot be read is named', () => {
    const path = write('config/pip/pip.conf', '[global]\nindex-url = https://user/simple')
    vi.stubEnv('PIP_CONFIG_FILE', '/dev/null')
    expect(readPipSettings().indexes).toEqual(['https://pypi.org/simple'])
    vi.stubEnv('PIP_CONFIG_FILE', dirname(path))
    expect(() => readPipSettings()).toThrow(`Cannot read pip's configuration ${dirname(path)}`)
  })
})

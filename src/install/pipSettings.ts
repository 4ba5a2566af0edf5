import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

import { TrainerError } from '../errors'

/** pip's configuration of package indexes on this machine. */
export interface PipSettings {
  /** Addresses in the order in which they are tried; they may hold credentials. */
  readonly indexes: readonly string[]
  /** Settings that pip uses and Node's `fetch` does not: `proxy`, `cert`. */
  readonly others: Readonly<Record<string, string>>
}

const defaultIndex = 'https://pypi.org/simple'

/**
 * Reads pip's settings: environment variables over the [install] sections of its files over their [global] sections; a
 * later file over an earlier one. See https://pip.pypa.io/en/stable/topics/configuration.
 * @throws TrainerError (`file`) when one of the files cannot be read.
 */
export function readPipSettings(): PipSettings {
  const sections = configFiles()
    .filter(path => existsSync(path))
    .map(path => parseSections(readConfig(path)))
  const values = new Map(
    ['global', 'install'].flatMap(name => sections.flatMap(section => [...(section.get(name) ?? [])])),
  )
  for (const [name, value] of Object.entries(process.env)) {
    if (/^pip_/i.test(name) && value) values.set(settingName(name.slice(4)), value)
  }
  const words = (name: string): string[] => (values.get(name) ?? '').split(/\s+/).filter(word => word !== '')
  const off = /^(1|y|yes|t|true|on)$/i.test(values.get('no-index') ?? '')
  const [index = defaultIndex] = words('index-url')
  const others = ['proxy', 'cert'].flatMap(name => (values.has(name) ? [[name, values.get(name)!] as const] : []))
  return { indexes: off ? [] : [index, ...words('extra-index-url')], others: Object.fromEntries(others) }
}

/** From the least to the most important: the machine's, the user's, the virtual environment's, PIP_CONFIG_FILE. */
function configFiles(): string[] {
  const { PIP_CONFIG_FILE: named, VIRTUAL_ENV: environment, APPDATA: roaming, ProgramData: shared } = process.env
  const { XDG_CONFIG_DIRS: directories, XDG_CONFIG_HOME: home } = process.env
  if (named === '/dev/null' || named?.toLowerCase() === 'nul') return []
  const last = named ? [named] : []
  if (process.platform === 'win32') {
    const folders = [
      shared && join(shared, 'pip'),
      join(homedir(), 'pip'),
      roaming && join(roaming, 'pip'),
      environment,
    ]
    return [...folders.flatMap(folder => (folder ? [join(folder, 'pip.ini')] : [])), ...last]
  }
  const mac = process.platform === 'darwin'
  const everyone = mac
    ? ['/Library/Application Support']
    : (directories || '/etc/xdg')
        .split(':')
        .filter(path => path !== '')
        .reverse()
  const library = join(homedir(), 'Library/Application Support/pip')
  const user = mac && existsSync(library) ? library : join(home || join(homedir(), '.config'), 'pip')
  return [
    ...everyone.map(path => join(path, 'pip/pip.conf')),
    '/etc/pip.conf',
    join(homedir(), '.pip/pip.conf'),
    join(user, 'pip.conf'),
    ...(environment ? [join(environment, 'pip.conf')] : []),
    ...last,
  ]
}

function readConfig(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new TrainerError('file', `Cannot read pip's configuration ${path}: ${(cause as Error).message}.`, { cause })
  }
}

/**
 * A small version of Python's configparser: sections, `name = value` or `name: value`, comments, and indented lines
 * that continue a value.
 */
function parseSections(text: string): Map<string, Map<string, string>> {
  const sections = new Map<string, Map<string, string>>()
  let section = new Map<string, string>()
  let last: string | undefined
  for (const line of text.replace(/^\uFEFF/, '').split(/\r?\n/)) {
    const trimmed = line.trim()
    if (trimmed === '' || /^[#;]/.test(trimmed)) continue
    if (/^\s/.test(line) && last !== undefined) {
      section.set(last, `${section.get(last)}\n${trimmed}`)
      continue
    }
    last = undefined
    const header = /^\[([^\]]+)\]/.exec(trimmed)
    if (header !== null) {
      section = sections.get(header[1]!) ?? new Map<string, string>()
      sections.set(header[1]!, section)
      continue
    }
    const at = trimmed.search(/[=:]/)
    if (at <= 0) continue
    last = settingName(trimmed.slice(0, at).trim())
    section.set(last, trimmed.slice(at + 1).trim())
  }
  return sections
}

function settingName(written: string): string {
  return written.toLowerCase().replaceAll('_', '-').replace(/^--/, '')
}

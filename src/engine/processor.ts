import { readFileSync } from 'node:fs'

/** The processor's instruction sets, in Linux's words; undefined where the system has no list of them. */
export function processorFlags(list: string | undefined = processorList()): ReadonlySet<string> | undefined {
  const flags = list === undefined ? undefined : /^(?:flags|Features)\s*:\s*(.*)$/m.exec(list)?.[1]
  return flags === undefined ? undefined : new Set(flags.split(' '))
}

/** What Linux says of its processors; undefined on other systems. */
export function processorList(): string | undefined {
  return process.platform === 'linux' ? readFileSync('/proc/cpuinfo', 'utf8') : undefined
}

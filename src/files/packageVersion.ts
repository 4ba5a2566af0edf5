import { existsSync, readFileSync } from 'node:fs'

import { TrainerError } from '../errors'

/** The version of ts-trainer: that of its own package.json, which is above this file, both in `dist` and in `src`. */
export function packageVersion(): string {
  const file = ['../package.json', '../../package.json']
    .map(path => new URL(path, import.meta.url))
    .find(url => existsSync(url))
  if (file === undefined)
    throw new TrainerError('internal', 'internal: the package.json of ts-trainer is not where it should be.')
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

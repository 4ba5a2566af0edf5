import { fileURLToPath } from 'node:url'

/** A file or folder that the oracle made. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../fixtures/checkpoint/${name}`, import.meta.url))
}

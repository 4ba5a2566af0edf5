import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Fetches a package's tarball from the npm registry and unpacks it into a temporary folder. Nothing of it is installed
 * or executed.
 * @param name the package with its exact version, such as `sentiment@5.0.2`
 * @returns the folder that holds the package's files
 */
export function unpackFromNpm(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'ts-trainer-'))
  execFileSync('npm', ['pack', name, '--silent', '--ignore-scripts', '--pack-destination', folder], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const tarball = readdirSync(folder).find(file => file.endsWith('.tgz'))
  if (tarball === undefined) throw new Error(`npm pack ${name} left no tarball in ${folder}.`)
  execFileSync('tar', ['-xzf', join(folder, tarball), '-C', folder])
  return join(folder, 'package')
}

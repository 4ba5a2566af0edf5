// docs/cli.md: the help of every command as it is, and the exit codes
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { commandNames, commandsPage, helpBlock, ownHelp } from '../../scripts/commandHelp'
import { exitCodes } from '../../src/cli/exitCodes'
import { runCli } from '../helpers/runCli'

const page = readFileSync(commandsPage, 'utf8')
const blocks = new Map([...page.matchAll(helpBlock)].map(([, help, name]) => [name!, help!]))

describe('docs/cli.md', () => {
  it('has what each command says of itself (npx tsx scripts/commandHelp.ts writes it)', async () => {
    const names = (await commandNames()).filter(name => !['help', 'version'].includes(name))
    for (const name of names) expect(blocks.get(name), name).toBe(await ownHelp(name))
  })

  it('names every command, and every exit code', async () => {
    const names = (await commandNames()).filter(name => !['help', 'version'].includes(name))
    for (const name of names) expect(page).toMatch(new RegExp(`^\\|.*\`${name}\`.*\\|`, 'm'))
    const codes = [...page.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code))
    expect(codes).toEqual(Object.values(exitCodes))
  })

  it('has helps of less than 80 columns', async () => {
    for (const name of await commandNames()) {
      const { status, out } = await runCli([name, '--help'])
      expect([name, status]).toEqual([name, 0])
      expect(out.split('\n').filter(line => line.length > 80)).toEqual([])
    }
  })
})

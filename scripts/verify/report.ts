// the page of HtmlReportCallback in a browser: measured and photographed, for someone to look at
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { pageOf } from '../../src/report/page'
import { Browser, servingPages, type View } from './browser'
import type { Check } from './Check'
import { cases } from './reportCases'

const views: readonly View[] = [
  { name: 'light', width: 1200, isDark: false },
  { name: 'dark', width: 1200, isDark: true },
  { name: 'narrow', width: 320, isDark: false },
]
/** A picture that is higher cannot be looked at. */
const highest = 12_000

export const report: Check = {
  does: 'Makes report pages of all kinds (10,000 rows, 150 classes, hostile texts, regression, entities) and has a browser measure and photograph them, light, dark, 320 wide and on paper: contrast, headings, names, overflow, scripts, console.',
  needs: 'chromium (--browser PATH)',
  takes: 'about a minute and a half',
  options: '[--out FOLDER (report-pages)] [--case NAME] [--browser PATH (chromium)]',
  async run(options, print) {
    const { values } = parseArgs({
      args: [...options],
      options: {
        out: { type: 'string', default: 'report-pages' },
        case: { type: 'string' },
        browser: { type: 'string', default: 'chromium' },
      },
    })
    const folder = resolve(values.out)
    mkdirSync(folder, { recursive: true })
    const chosen = cases.filter(({ name }) => values.case === undefined || name === values.case)
    if (chosen.length === 0)
      throw new Error(`There is no case "${values.case}": ${cases.map(({ name }) => name).join(', ')}.`)
    return servingPages(folder, async address => {
      const browser = new Browser(values.browser, address)
      let failed = 0
      for (const { name, make } of chosen) {
        const page = pageOf(await make())
        writeFileSync(join(folder, `${name}.html`), page)
        print(`${name}: ${Math.round(page.length / 1024)} KiB`)
        for (const view of views) failed += await look(browser, folder, name, view, print)
        await browser.print(`${name}.html`, join(folder, `${name}.pdf`))
      }
      print(`The pictures are in ${folder}.`)
      return failed === 0
    })
  },
}

/** Measures and photographs a page, and answers how many problems there are. */
async function look(
  browser: Browser,
  folder: string,
  name: string,
  view: View,
  print: (line: string) => void,
): Promise<number> {
  const { overflow, height, problems, console: said } = await browser.measure(`${name}.html`, view)
  const picture = join(folder, `${name}-${view.name}.png`)
  await browser.photograph(`${name}.html`, view, Math.min(height, highest), picture)
  const all = [...problems, ...said, ...(overflow > 0 ? [`${overflow} wider than ${view.width}`] : [])]
  print(`  ${view.name}: ${height} high, ${all.length === 0 ? 'nothing to mend' : `${all.length} problems`}`)
  for (const problem of all.slice(0, 10)) print(`    ${problem}`)
  return all.length
}

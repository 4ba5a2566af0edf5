// what docs/report.md says of the page, against what the page does; its program is compiled by programs.test.ts
import { HtmlReportCallback } from 'ts-trainer'
import { expect, it } from 'vitest'
import { calibrationOf } from '../../src/report/calibration'
import { mostNumbered } from '../../src/report/confusionSection'
import { reportFile } from '../../src/files/checkpointNames'
import { longestText } from '../../src/report/rowTexts'
import { report } from './programs'

it('docs/report.md says the numbers and names that there are', () => {
  const { bins } = calibrationOf([0.5], [1])
  for (const said of [
    `writes \`${reportFile}\``,
    `of more than ${mostNumbered} classes`,
    `in ${bins.length} bins`,
    `Beyond ${longestText.toLocaleString('en-US')} characters`,
    '`new HtmlReportCallback({ rows: 0 })`',
  ])
    expect(report.text).toContain(said)
  expect(() => new HtmlReportCallback({ rows: 0 })).not.toThrow()
})

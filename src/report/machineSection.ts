import { nvidiaDriver } from '../engine/driver'
import { describeMachine } from '../engine/machine'
import { packageVersion } from '../files/packageVersion'
import { html, type Html } from './html'
import { countOf, sizeText } from './numbers'
import type { Report } from './Report'
import { facts } from './table'

/** What it ran on, and with which versions. */
export function machineSection({ engine }: Report): Html {
  const { node, platform, processor, memory } = describeMachine()
  const limit = memory.limit === undefined ? '' : `, of which this process may use ${sizeText(memory.limit)}`
  return html`<section aria-labelledby="machine">
    <h2 id="machine">Machine and versions</h2>
    ${facts([
      ['Device', engine?.provider],
      ['Graphics cards', engine?.provider === 'cuda' && graphicsCards()],
      ['Processor', processor.model],
      [
        'Cores',
        `${countOf(processor.logical, 'logical processor')}, ${countOf(processor.threads, 'thread')} for one operator by default`,
      ],
      ['Instruction sets', processor.flags.join(', ')],
      ['Memory', `${sizeText(memory.total)}${limit}`],
      ['ts-trainer', packageVersion()],
      ['ONNX Runtime', engine?.version],
      ['Library', engine && html`<code>${engine.library}</code>`],
      ['Node.js', `${node.replace(/^v/, '')} on ${platform}`],
    ])}
  </section> `
}

function graphicsCards(): string | undefined {
  return nvidiaDriver()
    ?.gpus.map(({ name, memory }) => `${name}, ${sizeText(memory)}`)
    .join('; ')
}

// models with a head of the user's own, trained and saved here, are opened by a class of Python's, and their adapters
// by PEFT
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Batch, getPeftModel, type PreTrainedModel, setLogLevel, type Tensor } from '../../src/index'
import { Runner } from '../../src/training/Runner'
import { loadSlots, loadTriage, oracleOf } from '../../test/heads/ownHeads'
import { fixtures } from '../../test/helpers/oracle'
import { moveTrained } from './adapters'
import type { Check } from './Check'
import { inPython, inWorkFolder } from './python'

const cases = { 'bert-triage': loadTriage, 'distilbert-slots': loadSlots } as const
const tolerance = 1e-4

type Plain = Readonly<Record<'model' | 'adapter', Readonly<Record<string, readonly number[]>>>>

export const ownHeads: Check = {
  does: "Saves models with heads of one's own, and adapters for them, which a class of Python's and PEFT open: every output to 1e-4.",
  needs: 'python3 with torch, transformers and peft (--python PATH)',
  takes: 'half a minute',
  options: '[--python PATH (python3)] [--seed N (1)]',
  async run(options, print) {
    const { values } = parseArgs({
      args: [...options],
      options: { python: { type: 'string', default: 'python3' }, seed: { type: 'string', default: '1' } },
    })
    setLogLevel('error')
    return inWorkFolder('own-heads', async work => {
      let passed = true
      for (const name of Object.keys(cases) as (keyof typeof cases)[]) {
        const differences = await differencesOf(name, { ...values, seed: Number(values.seed) }, work)
        print(`${name}: ${differences.map(([what, far]) => `${what} ${far.toExponential(1)}`).join(', ')}`)
        passed &&= differences.every(([, far]) => far <= tolerance)
      }
      return passed
    })
  },
}

/** How far Python's outputs are from those here, at the most. */
async function differencesOf(
  name: keyof typeof cases,
  { python, seed }: { readonly python: string; readonly seed: number },
  work: string,
): Promise<(readonly [string, number])[]> {
  const { batch } = oracleOf(name)
  const [folder, adapter] = [join(work, `${name}-model`), join(work, `${name}-adapter`)]
  const model = (await cases[name]()) as PreTrainedModel<unknown>
  const adapted = getPeftModel(model, { r: 2, targetModules: 'all-linear', initLoraWeights: false, seed })
  moveTrained(adapted, seed)
  await model.savePretrained(folder)
  await adapted.savePretrained(adapter)
  const oracle = join(fixtures, `own-${name}`, 'own.json')
  const found = await inPython<Plain>(python, 'ownHeads.py', [folder, adapter, oracle])
  const here = { model: await outputsOf(model, batch), adapter: await outputsOf(adapted, batch) }
  return (['model', 'adapter'] as const).map(what => [what, largest(here[what], found[what])] as const)
}

async function outputsOf(model: PreTrainedModel<unknown>, batch: Batch): Promise<Readonly<Record<string, Tensor>>> {
  const runner = await Runner.create({ model, engine: { threads: 1 } })
  const { predictions } = await runner.forward(runner.feed(batch, row => `row ${row}`, 'evaluation'))
  const found = await predictions()
  await runner.dispose()
  return found
}

/** Of padding, which is -100 here, nothing is compared. */
function largest(here: Readonly<Record<string, Tensor>>, there: Plain['model']): number {
  const far = Object.entries(there).flatMap(([name, values]) =>
    values.map((value, at) => {
      const given = Number(here[name]?.data[at])
      const difference = given === -100 ? 0 : Math.abs(given - value)
      return Number.isNaN(difference) ? Infinity : difference
    }),
  )
  return far.reduce((most, one) => Math.max(most, one), 0)
}

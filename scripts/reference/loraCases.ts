// One forward and backward pass of a model with low-rank adapters, and the merged model, against PEFT's.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PeftModel } from '../../src/auto/PeftModel'
import { modelFromFolder } from '../../src/auto/PreTrainedModel'
import type { ModelConfig } from '../../src/models/config'
import { type Checked, verdict } from './compare'
import { batchOf, compareModelCase, type Computed, forwardAndBackward, type ModelCase } from './modelCases'

/** Checks a folder with a base model, its adapter, and case.json. */
export async function checkLora(folder: string): Promise<Checked> {
  const read = (name: string): unknown => JSON.parse(readFileSync(join(folder, name), 'utf8'))
  const oracle = read('case.json') as ModelCase
  const base = await modelFromFolder(folder, read('config.json') as ModelConfig)
  const model = await PeftModel.fromPretrained(base, folder)
  const adapted = await forwardAndBackward(model, batchOf(oracle))
  const merged = await forwardAndBackward(model.mergeAndUnload(), batchOf(oracle))
  const computed: Computed = {
    loss: adapted.loss,
    outputs: { ...adapted.outputs, merged_logits: merged.outputs['logits']! },
    gradients: underNamesOfPeft(adapted.gradients, Object.keys(oracle.gradients)),
  }
  return { verdict: verdict(compareModelCase(oracle, computed)), computed }
}

/** Gradients by the names that PEFT's modules have while they are trained; those that it does not train keep ours. */
function underNamesOfPeft(gradients: Computed['gradients'], names: readonly string[]): Computed['gradients'] {
  const bare = (name: string): string =>
    name.replace(/^base_model\.model\./, '').replace(/\.(modules_to_save\.default|base_layer|default)\./, '.')
  const known = new Map(names.map(name => [bare(name), name]))
  return Object.fromEntries(Object.entries(gradients).map(([name, value]) => [known.get(name) ?? name, value]))
}

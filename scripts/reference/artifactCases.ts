// Training artifacts, official ones and those that are made here of the same graph, against ONNX Runtime Training.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Checkpoint } from '../../src/artifacts/Checkpoint'
import { readCheckpointFile } from '../../src/artifacts/checkpointFile'
import type { Tensor } from '../../src/tensor'
import { type ArtifactCase, type ArtifactRun, runArtifacts } from './artifactRun'
import { type Checked, type Comparison, compareEqual, compareRelative, compareScalar, verdict } from './compare'
import { makeArtifacts } from './madeArtifacts'
import { distanceOf, isNoise } from './parameters'

/** Checks a folder of `artifacts`, from its files and from files that are made of forward.onnx. */
export async function checkArtifacts(folder: string): Promise<Checked> {
  const oracle = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8')) as ArtifactCase
  const after = await readCheckpointFile(join(folder, 'checkpoint.after'))
  const work = mkdtempSync(join(tmpdir(), 'reference-'))
  try {
    const official = await runArtifacts(folder, oracle, work)
    await makeArtifacts(folder, oracle, join(work, 'made'))
    const made = await runArtifacts(join(work, 'made'), oracle, work)
    const comparisons = [
      ...compareRun('', official, oracle, after),
      ...compareRun('of the graphs made of forward.onnx: ', made, oracle, after),
    ]
    const { steps, evaluation, parameters } = official
    return { verdict: verdict(comparisons), computed: { steps, evaluation, parameters } }
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** By the tolerances of the reference's README; parameters afterwards and their moments to 1e-4. */
function compareRun(which: string, run: ArtifactRun, oracle: ArtifactCase, after: Checkpoint): Comparison[] {
  const steps = oracle.steps.flatMap(({ loss, logits }, i): Comparison[] => {
    const given = run.steps[i]
    const largest = Math.max(...(logits?.data ?? []).map(Math.abs))
    return [
      compareRelative(`${which}loss of step ${i}`, given?.loss ?? NaN, loss, 1e-5),
      ...(logits?.data ?? []).map((value, at) =>
        compareScalar(`${which}logits[${at}] of step ${i}`, given?.logits?.data[at] ?? NaN, value, 2e-5 * largest),
      ),
    ]
  })
  return [
    ...steps,
    compareRelative(`${which}evaluation loss`, run.evaluation.loss, oracle.evaluation.loss, 1e-5),
    compareEqual(`${which}parameters`, Object.keys(run.parameters).sort(), Object.keys(oracle.parameters).sort()),
    ...Object.entries(oracle.parameters).flatMap(([name, { norm, head }]) => {
      if (isNoise(name)) return []
      const given = run.parameters[name]
      return [
        compareRelative(`${which}norm of ${name}`, given?.norm ?? NaN, norm, 1e-4),
        ...head.map((value, i) => compareScalar(`${which}${name}[${i}]`, given?.head[i] ?? NaN, value, 1e-4 * norm)),
      ]
    }),
    ...compareCheckpoints(which, run.checkpoint, after),
  ]
}

/** What we save against what the official runtime saved, each tensor by its distance. */
function compareCheckpoints(which: string, given: Checkpoint, expected: Checkpoint): Comparison[] {
  const tensors = (
    kind: string,
    own: ReadonlyMap<string, Tensor>,
    theirs: ReadonlyMap<string, Tensor>,
  ): Comparison[] => [
    compareEqual(`${which}names of ${kind}`, [...own.keys()].sort(), [...theirs.keys()].sort()),
    ...[...theirs].flatMap(([name, tensor]) =>
      isNoise(name) ? [] : [compareTensor(`${which}${kind} ${name}`, own.get(name), tensor)],
    ),
  ]
  // the official SGD keeps a moment that it never reads, which other graphs need not have
  const states = [...(expected.optimizer?.states ?? [])].flatMap(([name, moments]) => {
    const own = given.optimizer?.states.get(name) ?? new Map<string, Tensor>()
    const read = new Map(
      [...moments].filter(([moment, { data }]) => own.has(moment) || data.some(value => value !== 0)),
    )
    return isNoise(name) ? [] : tensors(`moments of ${name}:`, own, which === '' ? moments : read)
  })
  return [
    ...tensors('trained', given.trained, expected.trained),
    ...tensors('frozen', given.frozen, expected.frozen),
    compareEqual(`${which}step`, given.optimizer?.step, expected.optimizer?.step),
    ...states,
  ]
}

function compareTensor(what: string, given: Tensor | undefined, expected: Tensor): Comparison {
  const { distance, length } = distanceOf(given, expected)
  return { what, error: distance, tolerance: 1e-4 * length }
}

// forward.onnx → artifacts of the same parameters, loss and optimizer as the official ones beside it, made here
import { join } from 'node:path'
import { type GenerateArtifactsOptions, generateArtifacts } from '../../src/artifacts/generateArtifacts'
import { readArtifacts } from '../../src/artifacts/readArtifacts'
import type { RawModel } from '../../src/onnx/RawModel'
import type { ArtifactCase } from './artifactRun'

/** Makes the artifacts of a case in a folder of its own. */
export async function makeArtifacts(folder: string, { steps }: ArtifactCase, artifactDirectory: string): Promise<void> {
  const { training, evaluation, optimizer, checkpoint } = await readArtifacts({
    folder,
    prefix: '',
    checkpoint: undefined,
  })
  await generateArtifacts(join(folder, 'forward.onnx'), {
    loss: lossOf(evaluation.model),
    optimizer: optimizer!.optimizer.name === 'sgd' ? 'sgd' : 'adamw',
    requiresGrad: [...checkpoint.trained.keys()],
    ...(checkpoint.frozen.size > 0 && { frozenParams: [...checkpoint.frozen.keys()] }),
    ...(steps[0]?.logits !== undefined && { additionalOutputNames: further(training.model) }),
    artifactDirectory,
  })
}

function further({ graph }: RawModel): readonly string[] {
  return graph.outputs.map(({ name }) => name).filter((name, i) => i > 0 && !name.endsWith('.accumulation.out'))
}

/** The loss by the operators that the official generator writes for it. */
function lossOf({ graph }: RawModel): NonNullable<GenerateArtifactsOptions['loss']> {
  const ops = new Set(graph.nodes.map(({ op }) => op))
  if (ops.has('SoftmaxCrossEntropyLoss')) return 'cross-entropy'
  if (ops.has('Log')) return 'bce-with-logits'
  return ops.has('Abs') ? 'l1' : 'mse'
}

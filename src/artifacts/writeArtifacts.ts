import { dialectMark } from '../auto/artifactFiles'
import { writeFolder } from '../files/folder'
import { Tensor } from '../tensor'
import { type ArtifactPlan, evaluationArtifact, trainingArtifact } from './artifactGraphs'
import {
  initialGraph,
  optimizerForeignNodes,
  optimizerMetadata,
  type OptimizerNodes,
  optimizerSequences,
  portableOptimizerGraph,
  trainingOptimizerGraph,
} from './artifactOptimizer'
import type { Checkpoint } from './Checkpoint'
import { writeCheckpointFile } from './checkpointFile'
import { artifactPaths, optimizerSteps } from './names'
import { writeGraph } from './writeGraph'

/** The dialects of artifacts: ordinary operators, or those of ONNX Runtime Training where its runtimes need them. */
export const artifactDialects = ['portable', 'onnxruntime-training'] as const
export type ArtifactDialect = (typeof artifactDialects)[number]

/** The paths of artifacts; those that were not asked for are undefined. */
export interface ArtifactFiles {
  readonly trainingModel: string
  readonly evalModel: string
  readonly optimizerModel: string | undefined
  /** Only in ordinary operators. */
  readonly initialModel: string | undefined
  readonly checkpoint: string
  readonly nominalCheckpoint: string | undefined
}

/** Where and how artifacts are written. */
export interface WriteArtifactsOptions {
  readonly folder: string
  readonly prefix: string
  readonly optimizer: OptimizerNodes | undefined
  readonly hasNominal: boolean
  readonly dialect: ArtifactDialect
}

/** Writes the files of artifacts beside their places, and renames them. @throws TrainerError for what cannot be written. */
export async function writeArtifacts(plan: ArtifactPlan, options: WriteArtifactsOptions): Promise<ArtifactFiles> {
  const { folder, prefix, optimizer, hasNominal, dialect } = options
  const isOwn = dialect === 'onnxruntime-training'
  const { graph, foreignNodes, trained } = trainingArtifact(plan, isOwn)
  const evaluation = evaluationArtifact(plan)
  const metadata: Readonly<Record<string, string>> = isOwn ? {} : { [dialectMark]: dialect }
  const checkpoint = checkpointOf(plan, new Set(trained))
  await writeFolder(
    folder,
    async temporary => {
      const path = artifactPaths(temporary, prefix)
      await writeGraph(path('trainingModel'), graph, { foreignNodes, metadata })
      await writeGraph(path('evalModel'), evaluation, { metadata })
      if (optimizer !== undefined) await writeOptimizer(path('optimizerModel'), plan, trained, optimizer, isOwn)
      if (!isOwn) {
        const initial = initialGraph(optimizer, plan.parameters.inputs, new Set(trained), plan.weights)
        await writeGraph(path('initialModel'), initial, { metadata })
      }
      await writeCheckpointFile(path('checkpoint'), checkpoint)
      if (hasNominal) await writeCheckpointFile(path('nominalCheckpoint'), nominal(checkpoint))
    },
    { others: 'keep' },
  )
  const path = artifactPaths(folder.replace(/[/\\]+$/, ''), prefix)
  return {
    trainingModel: path('trainingModel'),
    evalModel: path('evalModel'),
    optimizerModel: optimizer === undefined ? undefined : path('optimizerModel'),
    initialModel: isOwn ? undefined : path('initialModel'),
    checkpoint: path('checkpoint'),
    nominalCheckpoint: hasNominal ? path('nominalCheckpoint') : undefined,
  }
}

async function writeOptimizer(
  path: string,
  plan: ArtifactPlan,
  trained: readonly string[],
  optimizer: OptimizerNodes,
  isOwn: boolean,
): Promise<void> {
  if (isOwn) {
    const options = { foreignNodes: optimizerForeignNodes(optimizer), sequences: optimizerSequences(optimizer) }
    return writeGraph(path, trainingOptimizerGraph, options)
  }
  const parameters = plan.parameters.inputs.filter(({ name }) => trained.includes(name))
  const metadata = { [dialectMark]: 'portable', [optimizerSteps]: optimizerMetadata(optimizer) }
  return writeGraph(path, portableOptimizerGraph(optimizer, parameters), { metadata })
}

function checkpointOf({ parameters, weights }: ArtifactPlan, trained: ReadonlySet<string>): Checkpoint {
  const values = parameters.inputs.map(({ name }) => [name, weights(name)] as const)
  return {
    trained: new Map(values.filter(([name]) => trained.has(name))),
    frozen: new Map(values.filter(([name]) => !trained.has(name))),
    isNominal: false,
    properties: new Map(),
  }
}

/** The same without values. */
function nominal(checkpoint: Checkpoint): Checkpoint {
  const empty = (tensors: Checkpoint['trained']): Checkpoint['trained'] =>
    new Map([...tensors].map(([name, { dtype, data }]) => [name, new Tensor(dtype, data.slice(0, 0) as never, [0])]))
  return { ...checkpoint, isNominal: true, trained: empty(checkpoint.trained), frozen: empty(checkpoint.frozen) }
}

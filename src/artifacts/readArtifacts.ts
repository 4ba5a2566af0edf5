import { artifactNames, loadingAdvice } from '../auto/artifactFiles'
import { readOnnxGraph } from '../auto/onnxFile'
import { quoted, TrainerError } from '../errors'
import { recoverFolders } from '../files/folder'
import { isAbsolutePath } from '../files/tree'
import { expandHome, isFolder, listFolder, pathExists } from '../files/paths'
import type { Checkpoint } from './Checkpoint'
import { checkGraphs, checkOptimizerInputs } from './checkGraphs'
import { readCheckpointFile } from './checkpointFile'
import { artifactPaths } from './names'
import { optimizerModel, type OptimizerModel } from './optimizerModel'
import type { ArtifactGraph } from './signature'

/** Which files of a folder are read. */
export interface ArtifactPlace {
  readonly folder: string
  /** What stands before the name of each. */
  readonly prefix: string
  /** Another checkpoint than `PREFIXcheckpoint`: a name in the folder, or a path. */
  readonly checkpoint: string | undefined
  /** Whether `PREFIXnominal_checkpoint` is read in its place. */
  readonly isNominal?: boolean | undefined
}

/** What the files of a folder hold. */
export interface Artifacts {
  readonly training: ArtifactGraph
  readonly evaluation: ArtifactGraph
  /** Undefined where the folder has none. */
  readonly optimizer: OptimizerModel | undefined
  readonly checkpoint: Checkpoint & { readonly file: string }
}

/**
 * Reads artifacts.
 * @throws TrainerError ('file') for a file that is missing or of another kind.
 */
export async function readArtifacts(place: ArtifactPlace): Promise<Artifacts> {
  const folder = expandHome(place.folder)
  const { prefix, checkpoint } = place
  const path = artifactPaths(folder, prefix)
  await checkFolder(folder)
  await recoverFolders(folder) // files that were put into place in part
  const usual = path(place.isNominal === true ? 'nominalCheckpoint' : 'checkpoint')
  await checkFiles(folder, prefix, [
    path('trainingModel'),
    path('evalModel'),
    ...(checkpoint === undefined ? [usual] : []),
  ])
  const file = checkpoint === undefined ? usual : await checkpointNamed(checkpoint, folder)
  const optimizer = path('optimizerModel')
  const training = await readGraph(path('trainingModel'))
  const evaluation = await readGraph(path('evalModel'))
  checkGraphs(training, evaluation)
  return {
    training,
    evaluation,
    optimizer: (await pathExists(optimizer)) ? await readOptimizer(optimizer) : undefined,
    checkpoint: { ...(await readCheckpointFile(file)), file },
  }
}

/** @throws TrainerError ('file') for what is no folder. */
async function checkFolder(folder: string): Promise<void> {
  if (await isFolder(folder)) return
  if (!(await pathExists(folder))) throw new TrainerError('file', `There is no folder ${folder}.`)
  throw new TrainerError('file', `${folder} is a file, where the folder of artifacts is expected.`, {
    fix: `To train them, ${loadingAdvice(folder)}`,
  })
}

/** A checkpoint in the folder, or else where its path says. @throws TrainerError ('file') where neither is there. */
async function checkpointNamed(checkpoint: string, folder: string): Promise<string> {
  const path = expandHome(checkpoint)
  const places = isAbsolutePath(path) ? [path] : [`${folder}/${path}`, path]
  for (const place of places) if (await pathExists(place)) return place
  const others = (await listFolder(folder)).filter(
    name => name.includes(artifactNames.checkpoint) && !name.endsWith('.data'),
  )
  throw new TrainerError('file', `There is no file ${places.join(', and no ')}.`, {
    ...(others.length > 0 && { fix: `In ${folder} there are ${quoted(others)}.` }),
  })
}

/** @throws TrainerError ('file') naming the files that are not there. */
async function checkFiles(folder: string, prefix: string, wanted: readonly string[]): Promise<void> {
  const missing: string[] = []
  for (const path of wanted) if (!(await pathExists(path))) missing.push(path)
  if (missing.length === 0) return
  const fix = adviceFor(await listFolder(folder), prefix, missing)
  throw new TrainerError('file', `There is no file ${missing.join(', and no ')}.`, { fix })
}

function adviceFor(names: readonly string[], prefix: string, missing: readonly string[]): string {
  const ending = artifactNames.trainingModel
  const found = names.filter(name => name.endsWith(ending)).map(name => name.slice(0, -ending.length))
  const nominal = `${prefix}${artifactNames.nominalCheckpoint}`
  if (missing.length === 1 && missing[0]!.endsWith(artifactNames.checkpoint) && names.includes(nominal))
    return `nominal: true reads ${nominal}, whose parameters are given by loadParameters().`
  if (missing.length === 1 && missing[0]!.endsWith(nominal) && names.includes(`${prefix}${artifactNames.checkpoint}`))
    return `Leave nominal out to read ${prefix}${artifactNames.checkpoint}; generateArtifacts() writes both with nominalCheckpoint: true.`
  if (found.includes('') && prefix !== '') return 'There are files without a prefix: leave prefix out.'
  if (found.length > 0 && !found.includes(prefix)) return `There are files with the prefix '${found[0]}': give prefix.`
  return 'Artifacts are training_model.onnx, eval_model.onnx and checkpoint, each with the prefix before it.'
}

async function readOptimizer(file: string): Promise<OptimizerModel> {
  const graph = await readGraph(file)
  checkOptimizerInputs(graph)
  return optimizerModel(graph)
}

async function readGraph(file: string): Promise<ArtifactGraph> {
  return { file, model: await readOnnxGraph(file) }
}

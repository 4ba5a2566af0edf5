import { TrainerError } from '../errors'
import { recoverFolders } from '../files/folder'
import { isFolder, lastNameOf, listFolder, parentOf, pathExists } from '../files/paths'
import { openSlices, readBytes } from '../files/readFile'
import { writeFileWhole } from '../files/writeFile'
import { writeTogether } from '../files/writeTogether'
import type { Checkpoint } from './Checkpoint'
import { encodeCheckpoint } from './encodeCheckpoint'
import { readCheckpoint } from './readCheckpoint'

/** Values of more bytes than this are written into a file beside the checkpoint, as the format ends at 2 GiB. */
const mostInside = 1.5e9

/** Values below this stay in the checkpoint, as the official writer has it. */
const leastOutside = 64

/** Where the values of a large checkpoint are. */
function dataFileOf(path: string): string {
  return `${path}.data`
}

/**
 * Reads a checkpoint of ONNX Runtime Training (1.15 to 1.19.2), and `PATH.data` where its values are there.
 * @throws TrainerError (`file`) when it is missing, damaged, or of another version
 * @example const { trained } = await readCheckpointFile('./artifacts/checkpoint')
 */
export async function readCheckpointFile(path: string): Promise<Checkpoint> {
  await recoverFolders(parentOf(path)) // a pair that was put into place by half
  if (await isFolder(path)) throw await folderError(path)
  const bytes = await readBytes(path)
  if (!(await pathExists(dataFileOf(path)))) return readCheckpoint(bytes, { file: path })
  const external = await openSlices(dataFileOf(path))
  try {
    return await readCheckpoint(bytes, { file: path, external })
  } finally {
    await external.close()
  }
}

async function folderError(path: string): Promise<TrainerError> {
  const sequences = (await listFolder(path)).filter(name => name.endsWith('.pbseq'))
  if (sequences.length === 0)
    return new TrainerError('file', `${path} is a folder, where the file of a checkpoint is expected.`)
  const what = `${path} is a checkpoint of ONNX Runtime Training before 1.15 (a folder with ${sequences[0]})`
  return new TrainerError('file', `${what}, which cannot be read.`, {
    fix: 'Make the artifacts again with onnxruntime-training 1.15 to 1.19.2.',
  })
}

/** Options of {@link writeCheckpointFile}. */
export interface WriteCheckpointOptions {
  /** How many bytes of values the checkpoint itself may hold; with more they go into `PATH.data`. 1.5e9 by default. */
  readonly mostInside?: number | undefined
}

/**
 * Writes a checkpoint as ONNX Runtime Training 1.19.2 does, beside its place, and renames it.
 * @throws TrainerError (`file`) when it cannot be written, (`argument`) for what the format cannot hold
 * @example await writeCheckpointFile('./checkpoint', await readCheckpointFile('./artifacts/checkpoint'))
 */
export async function writeCheckpointFile(
  path: string,
  checkpoint: Checkpoint,
  options: WriteCheckpointOptions = {},
): Promise<void> {
  if (bytesOfValues(checkpoint) <= (options.mostInside ?? mostInside)) {
    await writeFileWhole(path, encodeCheckpoint(checkpoint))
    return
  }
  const pieces: Uint8Array[] = []
  let end = 0
  const bytes = encodeCheckpoint(checkpoint, values => {
    if (values.length < leastOutside) return undefined
    const place = Math.ceil(end / 8) * 8
    pieces.push(new Uint8Array(place - end), values)
    end = place + values.length
    return place
  })
  await writeTogether(path, bytes, { name: lastNameOf(dataFileOf(path)), source: pieces })
}

function bytesOfValues({ trained, frozen, optimizer }: Checkpoint): number {
  const moments = [...(optimizer?.states.values() ?? [])].flatMap(state => [...state.values()])
  return [...trained.values(), ...frozen.values(), ...moments].reduce((sum, { data }) => sum + data.byteLength, 0)
}

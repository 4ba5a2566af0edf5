// a run's checkpoints, and the Trainer's folder → commits on the Hub, beside training
import type { TrainerState } from '../callbacks/TrainerState'
import { checkpointPath } from '../checkpoint/folders'
import { isStateFile } from '../checkpoint/state'
import { checkpointName, checkpointStep } from '../files/checkpointNames'
import { temporaryFolderIn } from '../files/folder'
import { holdFiles } from '../files/holdFiles'
import { lastNameOf } from '../files/paths'
import { weightsFilePattern } from '../files/weights'
import { createRepository } from '../hub/createRepository'
import { filesBelow, type UploadedCommit, uploadFiles, type UploadOptions } from '../hub/upload'
import { log } from '../logging'
import type { TrainingArguments } from '../TrainingArguments'
import type { RepositoryOptions } from './pushOptions'

/** Files by their paths in the repository. */
type Files = Readonly<Record<string, string>>

/** One commit of a push. */
interface Part extends UploadOptions {
  readonly files: Files
}

/**
 * The pushes of a Trainer, one after the other, beside what it does. What is pushed is kept under a second name first,
 * so that checkpoints may be removed and files be written anew meanwhile.
 */
export class Pushes {
  readonly #name: string
  #id: string | undefined
  /** Settled when everything so far is pushed; it never throws. */
  #underWay: Promise<unknown> = Promise.resolve()
  #unfinished = 0
  #done = 0
  #failed: { readonly message: string; readonly error: unknown }[] = []

  /** @param args those of the Trainer, not of a trial of its search, which has another folder. */
  constructor(args: TrainingArguments) {
    this.#name = repositoryName(args)
  }

  /** The id of the repository, which is made unless it is there. @throws TrainerError as `createRepository` does. */
  async repository(
    { hubToken, hubPrivateRepo }: TrainingArguments,
    { token = hubToken, private: isPrivate = hubPrivateRepo }: RepositoryOptions = {},
  ): Promise<string> {
    return (this.#id ??= await createRepository('model', this.#name, { token, private: isPrivate }))
  }

  /** Whether a checkpoint that is saved now is pushed: the push before is done, or all are wanted. */
  takes(args: TrainingArguments): boolean {
    if (args.hubStrategy === 'end') return false
    if (this.#unfinished === 0 || args.hubAlwaysPush) return true
    log('info', 'This checkpoint is not pushed: the push before is not done. hubAlwaysPush pushes it afterwards.')
    return false
  }

  /** Begins to push a checkpoint: the model, and the whole of it where `hubStrategy` says so. */
  async pushCheckpoint(args: TrainingArguments, state: Readonly<TrainerState>): Promise<void> {
    const { globalStep: step, epoch } = state
    const place = args.saveStrategy === 'steps' ? `step ${step}` : `epoch ${Math.trunc(epoch)}`
    const message = `Training in progress, ${place}`
    try {
      await this.#begin(args, await partsOf(args, step, message), false)
    } catch (error) {
      this.#note(message, error)
    }
  }

  /** Pushes the Trainer's folder once what is under way is done: all but checkpoints, and names that begin with `_`. */
  async pushFolder(args: TrainingArguments, options: UploadOptions): Promise<{ finished: Promise<UploadedCommit> }> {
    const files = await pushedFiles(args.outputDir)
    const { token = args.hubToken, revision = args.hubRevision } = options
    const pushing = await this.#begin(args, [{ ...options, token, revision, files }], true)
    return { finished: pushing.finished.then(commits => commits[0]!) }
  }

  /** Waits for what is under way, and says again which pushes have failed. */
  async finish(): Promise<void> {
    if (this.#unfinished > 0) log('info', `Waiting for what is being pushed to ${this.#id}.`)
    await this.#underWay
    const failed = this.#failed
    if (failed.length === 0) return
    const all = failed.length + this.#done
    const names = failed.map(({ message }) => `"${message}"`).join(', ')
    log(
      'warning',
      `${failed.length} of ${all} pushes to ${this.#id} failed: ${names}. The last one: ` +
        `${reasonOf(failed.at(-1)!.error)} trainer.pushToHub() pushes the model as it is now.`,
    )
    this.#failed = []
    this.#done = 0
  }

  /** @param isThrown whether a failure is the caller's to report. */
  async #begin(
    args: TrainingArguments,
    parts: readonly Part[],
    isThrown: boolean,
  ): Promise<{ finished: Promise<UploadedCommit[]> }> {
    const id = await this.repository(args)
    const kept = await temporaryFolderIn(args.outputDir, 'push')
    const usual = { token: args.hubToken, revision: args.hubRevision }
    const held: Part[] = []
    try {
      for (const [place, part] of parts.entries())
        held.push({ ...usual, ...part, files: await holdFiles(part.files, `${kept.path}/${place}`) })
    } catch (error) {
      await kept.remove()
      throw error
    }
    const work = async (): Promise<UploadedCommit[]> => {
      try {
        const commits: UploadedCommit[] = []
        for (const part of held) commits.push(...(await this.#upload(id, part, isThrown)))
        return commits
      } finally {
        await kept.remove()
      }
    }
    this.#unfinished++
    const finished = this.#underWay.then(work)
    this.#underWay = finished.catch(() => undefined).finally(() => this.#unfinished--)
    return { finished }
  }

  async #upload(id: string, { files, ...options }: Part, isThrown: boolean): Promise<UploadedCommit[]> {
    try {
      const commit = await uploadFiles('model', id, files, options)
      this.#done++
      return [commit]
    } catch (error) {
      if (isThrown) throw error
      this.#note(options.message, error)
      return []
    }
  }

  #note(message: string, error: unknown): void {
    this.#failed.push({ message, error })
    log(
      'warning',
      `The push "${message}" to ${this.#id ?? this.#name} failed, and training goes on. ${reasonOf(error)}`,
    )
  }
}

/** The commits of a checkpoint: the model with what else is in the Trainer's folder, and the whole of it. */
async function partsOf(
  { outputDir, hubStrategy: strategy }: TrainingArguments,
  step: number,
  message: string,
): Promise<Part[]> {
  const checkpoint = await filesBelow(checkpointPath(outputDir, step))
  const model = Object.entries(checkpoint).filter(([path]) => !path.includes('/') && !isStateFile(path))
  const others = Object.entries(await pushedFiles(outputDir)).filter(([path]) => !isOfAnotherModel(path))
  const parts: Part[] = [{ files: Object.fromEntries([...others, ...model]), message }]
  if (strategy === 'checkpoint' || strategy === 'all_checkpoints') {
    const folder = strategy === 'checkpoint' ? lastCheckpoint : checkpointName(step)
    const files = Object.fromEntries(Object.entries(checkpoint).map(([path, at]) => [`${folder}/${path}`, at]))
    parts.push({ files, message: `${message}, checkpoint`, replaces: folder })
  }
  return parts
}

/** Where a repository has the newest checkpoint, by the strategy 'checkpoint'. */
export const lastCheckpoint = 'last-checkpoint'

/** What a Trainer's repository is called; without a namespace it is in the token's. */
export function repositoryName({ hubModelId, outputDir }: TrainingArguments): string {
  return hubModelId ?? lastNameOf(outputDir)
}

/** The files of a Trainer's folder that are pushed: no checkpoints, and no names that begin with `_` or a dot. */
async function pushedFiles(outputDir: string): Promise<Files> {
  const entries = Object.entries(await filesBelow(outputDir))
  return Object.fromEntries(
    entries.filter(
      ([path]) => !path.startsWith('_') && path.split('/').every(name => checkpointStep(name) === undefined),
    ),
  )
}

/** Whether a file belongs to the model that was saved last, which is not that of a checkpoint. */
function isOfAnotherModel(path: string): boolean {
  return weightsFilePattern.test(path) || path.startsWith('onnx/')
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

// a run's checkpoints, and the Trainer's folder → commits on the Hub, beside training
import type { TrainerState } from '../callbacks/TrainerState'
import { checkpointPath } from '../checkpoint/folders'
import { isStateFile } from '../checkpoint/state'
import { sentenceOf } from '../errors'
import { checkpointName } from '../files/checkpointNames'
import { temporaryFolderIn } from '../files/folder'
import { holdFiles } from '../files/holdFiles'
import { lastNameOf } from '../files/paths'
import { weightsFilePattern } from '../files/weights'
import { createRepository } from '../hub/createRepository'
import { hubEnvironment } from '../hub/environment'
import { pageOf } from '../hub/branches'
import { isPushedFile } from '../hub/pushFolder'
import { filesBelow, type UploadedCommit, uploadFiles, type UploadOptions } from '../hub/upload'
import { log } from '../logging'
import type { TrainingArguments } from '../TrainingArguments'
import type { RepositoryOptions } from './pushOptions'
import { listenForEnd } from './stopping'

/** Files by their paths in the repository. */
type Files = Readonly<Record<string, string>>

/** One commit of a push. */
interface Part extends UploadOptions {
  readonly files: Files
}

/** What is to be pushed, as it was when the push was asked for. */
interface Held {
  readonly id: string
  readonly parts: readonly Part[]
  /** Whether a failure is the caller's to report. */
  readonly isThrown: boolean
  release(): Promise<void>
}

/** How long the end of training waits for a push before it says so, in ms. */
const quietWait = 2000

/**
 * The pushes of a Trainer, one after the other, beside what it does. What is pushed is kept under a second name first,
 * so that checkpoints may be removed and files be written anew meanwhile.
 */
export class Pushes {
  readonly #name: string
  #id: string | undefined
  /** Whether it has been said where checkpoints are pushed to. */
  #isSaid = false
  /** Settled when everything so far is pushed; it never throws. */
  #underWay: Promise<unknown> = Promise.resolve()
  #unfinished = 0
  /** The newest checkpoint, where a push was not done when it was saved: a newer one takes its place. */
  #waiting: Held | undefined
  #done = 0
  #leftOut = 0
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

  /** Makes the repository unless it is there, and says where what is trained will be. */
  async prepare(args: TrainingArguments): Promise<void> {
    await this.repository(args)
    if (!this.#isSaid && args.hubStrategy !== 'end')
      log(args.disableTqdm ? 'info' : 'warning', `Checkpoints are pushed to ${this.#page()}.`)
    this.#isSaid = true
  }

  /**
   * Begins to push a checkpoint: the model, and the whole of it where `hubStrategy` says so. While the push before is
   * not done the newest one waits, so that it is what the Hub has in the end; with `hubAlwaysPush` all of them do.
   */
  async pushCheckpoint(args: TrainingArguments, state: Readonly<TrainerState>): Promise<void> {
    const { globalStep: step, epoch } = state
    const place = args.saveStrategy === 'steps' ? `step ${step}` : `epoch ${Math.trunc(epoch)}`
    const message = `Training in progress, ${place}`
    try {
      const held = await this.#hold(args, await partsOf(args, step, message), false)
      if (args.hubAlwaysPush || this.#unfinished === 0) return void this.#begin(() => held)
      const older = this.#waiting
      this.#waiting = held
      if (older === undefined) return void this.#begin(() => this.#takeWaiting())
      this.#leftOut++
      log('info', `"${older.parts[0]!.message}" is not pushed: a newer checkpoint waits for the push under way.`)
      await older.release()
    } catch (error) {
      this.#note(message, error)
    }
  }

  /** Pushes the Trainer's folder once what is under way is done: all but checkpoints, and names that begin with `_`. */
  async pushFolder(args: TrainingArguments, options: UploadOptions): Promise<{ finished: Promise<UploadedCommit> }> {
    const files = await pushedFiles(args.outputDir)
    const { token = args.hubToken, revision = args.hubRevision } = options
    const held = await this.#hold(args, [{ ...options, token, revision, files }], true)
    return { finished: this.#begin(() => held).then(commits => commits[0]!) }
  }

  /** Waits for what is under way, and says again which pushes have failed. */
  async finish(): Promise<void> {
    if (this.#unfinished > 0) await this.#wait()
    const failed = this.#failed
    const all = failed.length + this.#done
    const others = leftOutText(this.#leftOut)
    this.#failed = []
    this.#done = 0
    this.#leftOut = 0
    if (failed.length === 0) return
    const names = failed.map(({ message }) => `"${message}"`).join(', ')
    log(
      'warning',
      `${failed.length} of ${all} pushes to ${this.#id} failed${others}: ${names}. The last one: ` +
        `${sentenceOf(failed.at(-1)!.error)} trainer.pushToHub() pushes the model as it is now.`,
    )
  }

  async #wait(): Promise<void> {
    const where = `to ${this.#page()}`
    const notice = setTimeout(
      () => log('warning', `Waiting for the push ${where}. Ctrl-C twice ends the process.`),
      quietWait,
    )
    const listening = listenForEnd(`Still pushing ${where}; once more ends at once.`)
    await this.#underWay
    clearTimeout(notice)
    listening.dispose()
  }

  #page(): string {
    return pageOf({ hubUrl: hubEnvironment().endpoint }, { kind: 'model', id: this.#id ?? this.#name })
  }

  async #hold(args: TrainingArguments, parts: readonly Part[], isThrown: boolean): Promise<Held> {
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
    return { id, parts: held, isThrown, release: () => kept.remove() }
  }

  #takeWaiting(): Held {
    const held = this.#waiting!
    this.#waiting = undefined
    return held
  }

  /** @param next what is pushed when its turn comes. */
  #begin(next: () => Held): Promise<UploadedCommit[]> {
    const work = async (): Promise<UploadedCommit[]> => {
      const { id, parts, isThrown, release } = next()
      try {
        const commits: UploadedCommit[] = []
        for (const part of parts) commits.push(...(await this.#upload(id, part, isThrown)))
        return commits
      } finally {
        await release()
      }
    }
    this.#unfinished++
    const finished = this.#underWay.then(work)
    this.#underWay = finished.catch(() => undefined).finally(() => this.#unfinished--)
    return finished
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
      `The push "${message}" to ${this.#id ?? this.#name} failed, and training goes on. ${sentenceOf(error)}`,
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
  // a graph that is there holds other weights than these
  const parts: Part[] = [{ files: Object.fromEntries([...others, ...model]), message, replaces: 'onnx' }]
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

/** The files of a Trainer's folder that are pushed. */
async function pushedFiles(outputDir: string): Promise<Files> {
  const entries = Object.entries(await filesBelow(outputDir))
  return Object.fromEntries(entries.filter(([path]) => isPushedFile(path)))
}

/** Whether a file belongs to the model that was saved last, which is not that of a checkpoint. */
function isOfAnotherModel(path: string): boolean {
  return weightsFilePattern.test(path) || path.startsWith('onnx/')
}

function leftOutText(count: number): string {
  if (count === 0) return ''
  return count === 1 ? ', and 1 was left out for a newer one' : `, and ${count} were left out for newer ones`
}

/** The repositories of the loopback Hub: commits in memory, each a table of files, and branches that name them. */
import { createHash } from 'node:crypto'
import { Refusal } from './answers'

export type Kind = 'model' | 'dataset'

/** A file as git and Git LFS know it. */
export interface StoredFile {
  readonly data: Uint8Array
  /** The text that git keeps in place of an LFS file. */
  readonly pointer: Uint8Array | undefined
  /** sha256 of the content */
  readonly sha256: string
  /** git's name of the blob: of the content, or of the pointer */
  readonly oid: string
}

export interface Commit {
  readonly oid: string
  readonly parent: string | undefined
  readonly message: string
  readonly date: string
  readonly files: ReadonlyMap<string, StoredFile>
  /** The paths that this commit changed. */
  readonly paths: readonly string[]
}

export interface Settings {
  readonly private?: boolean
  readonly gated?: boolean
  readonly cdn?: boolean
}

const largeNames = ['.safetensors', '.bin', '.onnx', '.pt', '.parquet']

export function isLarge(path: string, size: number): boolean {
  return size >= 1_000_000 || largeNames.some(name => path.endsWith(name))
}

export function sha256Of(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}

export function storedFile(data: Uint8Array, large: boolean): StoredFile {
  const sha256 = sha256Of(data)
  const text = `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256}\nsize ${data.length}\n`
  const pointer = large ? Buffer.from(text) : undefined
  const kept = pointer ?? data
  return { data, pointer, sha256, oid: createHash('sha1').update(`blob ${kept.length}\0`).update(kept).digest('hex') }
}

export class Repository {
  readonly branches = new Map<string, string>()
  private readonly commits = new Map<string, Commit>()
  private pullRequests = 0
  settings: Settings

  constructor(
    readonly kind: Kind,
    public id: string,
    settings: Settings,
  ) {
    this.settings = settings
  }

  get namespace(): string {
    return this.id.split('/')[0]!
  }

  /** Where its page is: models stand at the top. */
  get page(): string {
    return this.kind === 'model' ? this.id : `datasets/${this.id}`
  }

  /** Makes the next commit of a branch, or of a new one; `onto` is another parent than the branch's. */
  commit(branch: string, files: ReadonlyMap<string, StoredFile>, message: string, onto?: string): Commit {
    const parent = onto ?? this.branches.get(branch)
    const before: ReadonlyMap<string, StoredFile> = this.commits.get(parent ?? '')?.files ?? new Map()
    const all = [...new Set([...before.keys(), ...files.keys()])].sort()
    const paths = all.filter(path => before.get(path)?.oid !== files.get(path)?.oid)
    const named = [this.kind, this.id, this.commits.size, parent, message, ...files].map(part =>
      Array.isArray(part) ? `${part[0]} ${part[1].oid}` : String(part),
    )
    const oid = createHash('sha1').update(named.join('\n')).digest('hex')
    const commit = { oid, parent, message, date: new Date().toISOString(), files, paths }
    this.commits.set(oid, commit)
    this.branches.set(branch, oid)
    return commit
  }

  find(revision = 'main'): Commit | undefined {
    const branch = this.branches.get(revision === 'HEAD' ? 'main' : revision)
    return this.commits.get(branch ?? revision)
  }

  at(revision?: string): Commit {
    const commit = this.find(revision)
    if (commit === undefined) throw new Refusal(404, 'RevisionNotFound', `Invalid rev id: ${revision}`)
    return commit
  }

  /** A commit and those before it, the newest first. */
  history(revision?: string): Commit[] {
    const history: Commit[] = []
    let commit = this.find(revision)
    while (commit !== undefined) {
      history.push(commit)
      commit = commit.parent === undefined ? undefined : this.commits.get(commit.parent)
    }
    return history
  }

  nextPullRequest(): number {
    return ++this.pullRequests
  }
}

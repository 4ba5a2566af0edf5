// what every pushToHub() may be told, and what it returns

/** Options of `pushToHub()`. */
export interface PushToHubOptions {
  /** Whether a new repository is private; one that is there stays as it is. Default: what its namespace has. */
  readonly private?: boolean | undefined
  /** The commit's title. Default: what is uploaded, as in 'Upload BertForSequenceClassification'. */
  readonly commitMessage?: string | undefined
  /** What is said below the title. */
  readonly commitDescription?: string | undefined
  /** Default: HF_TOKEN, else what `npx ts-trainer login` has kept. */
  readonly token?: string | undefined
  /** A branch, which is made of `main` if it is missing. Default 'main'. */
  readonly revision?: string | undefined
  /** Whether a pull request is opened in place of a commit. Default false. */
  readonly createPr?: boolean | undefined
}

/** A commit on the Hub. */
export interface PushedCommit {
  /** 40 hexadecimal digits. */
  readonly oid: string
  /** Its page. */
  readonly url: string
  /** The page of the repository. */
  readonly repoUrl: string
  /** The page of the pull request, with `createPr`. */
  readonly pullRequestUrl?: string | undefined
}

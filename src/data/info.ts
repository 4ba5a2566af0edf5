// where rows come from

/** Where the rows of a dataset came from. */
export interface DatasetInfo {
  /** The id of its repository on the Hub; undefined for files on this machine. */
  readonly repository: string | undefined
  /** Its configuration, 'default' where it has no other name; undefined for rows that were made here. */
  readonly configuration: string | undefined
  /** The split, as it was asked for: 'train', 'train[:10%]'; undefined for rows that were made here. */
  readonly split: string | undefined
}

/** Of rows that no file holds. */
export const madeHere: DatasetInfo = { repository: undefined, configuration: undefined, split: undefined }

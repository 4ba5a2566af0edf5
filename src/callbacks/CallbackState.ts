/**
 * The state of a callback or of the control, as `trainer_state.json` keeps it: JSON values, keys in Python's spelling.
 */
export interface CallbackState {
  /** What it was made with. */
  readonly args: Readonly<Record<string, unknown>>
  /** What has changed since. */
  readonly attributes: Readonly<Record<string, unknown>>
}

/**
 * A key as trackers show it: `eval_loss` is `eval/loss`, `test_f1` is `test/f1`, anything else is of training. The rule of
 * `rewrite_logs` in transformers.
 */
export function trackedKey(key: string): string {
  const [, part, name] = /^(eval|test)_(.*)$/s.exec(key) ?? []
  return part === undefined ? `train/${key}` : `${part}/${name}`
}

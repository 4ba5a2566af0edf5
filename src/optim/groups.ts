/**
 * Names, lower-cased, that weight decay does not apply to: biases and normalization layers, by Hugging Face's patterns.
 */
const undecayed = [/bias/, /layernorm/, /rmsnorm/, /(?:^|\.)norm(?:$|\.)/, /_norm(?:$|\.)/]

/** Whether weight decay applies to a parameter: Hugging Face's `get_decay_parameter_names`. Embeddings are decayed. */
export function decays(name: string): boolean {
  return !undecayed.some(pattern => pattern.test(name.toLowerCase()))
}

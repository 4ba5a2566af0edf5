/** Names, lower-cased, that weight decay leaves alone: biases and normalisation layers, by Hugging Face's patterns. */
const undecayed = [/bias/, /layernorm/, /rmsnorm/, /(?:^|\.)norm(?:$|\.)/, /_norm(?:$|\.)/]

/** Whether weight decay applies to a parameter: Hugging Face's `get_decay_parameter_names`. Embeddings are decayed. */
export function decays(name: string): boolean {
  return !undecayed.some(pattern => pattern.test(name.toLowerCase()))
}

// models of texts that are no encoders: named where they are refused
import type { ModelConfig } from './config'

/** How a model of another kind makes text. */
export type OtherKind = 'causal' | 'sequence-to-sequence'

/** How the `model_type`s of causal models begin, up to a number, a dash or an underline, or their end. */
const causal = (
  'gpt gptj gpt_bigcode openai-gpt llama mistral ministral mixtral qwen gemma recurrent_gemma phi opt bloom falcon mpt codegen ctrl ' +
  'mamba falcon_mamba jamba rwkv persimmon stablelm olmo olmoe cohere dbrx deepseek starcoder granite granitemoe smollm nemotron ' +
  'minicpm glm chatglm xglm biogpt git internlm baichuan yi arctic exaone ernie4_5 hunyuan kimi dots1 jetmoe bitnet lfm helium zamba ' +
  'transfo-xl cpmant modernbert-decoder bert-generation'
).split(' ')

const sequenceToSequence = (
  't5 mt5 umt5 t5gemma longt5 byt5 switch_transformers bart mbart plbart pegasus pegasus_x bigbird_pegasus marian m2m_100 nllb-moe ' +
  'blenderbot blenderbot-small led fsmt prophetnet xlm-prophetnet mvp encoder-decoder seamless_m4t whisper speech_to_text nougat'
).split(' ')

/** What kind of model that is no encoder a config is of; undefined for encoders and what nobody knows. */
export function otherKind(config: ModelConfig): OtherKind | undefined {
  const type = String(config.model_type).toLowerCase()
  const begins = (name: string): boolean => type.startsWith(name) && /^(?:$|[\d_.-])/.test(type.slice(name.length))
  if (sequenceToSequence.some(begins)) return 'sequence-to-sequence'
  if (causal.some(begins)) return 'causal'
  const classes = [config.architectures].flat().map(String)
  if (config.is_encoder_decoder === true || classes.some(name => /For(?:ConditionalGeneration|Seq2SeqLM)$/.test(name)))
    return 'sequence-to-sequence'
  return classes.some(name => /(?:ForCausalLM|LMHeadModel)$/.test(name)) ? 'causal' : undefined
}

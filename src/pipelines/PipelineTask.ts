import type { Task } from '../heads/Head'
import type { ModelConfig } from '../models/config'
import type { Tokenizer } from '../tokenizers/tokenizer'
import type { RowPrediction, TokenRow } from './Predictor'

/** What a task knows of its model. */
export interface TaskContext {
  /** What is called, for errors: `pipeline('ner')`. */
  readonly where: string
  readonly tokenizer: Tokenizer
  readonly config: ModelConfig
  /** How many numbers the head gives for each thing that it judges. */
  readonly width: number
  /** The most tokens that tokenizer and model take. */
  readonly maxLength: number
}

/** What a text becomes: rows of tokens, and what is needed to read the predictions. */
export interface Encoded {
  readonly rows: readonly TokenRow[]
}

/** What a call gives: things to answer, and whether they came as a list. */
export interface Items<Item> {
  readonly items: readonly Item[]
  readonly isList: boolean
}

/** What a task does around the model: what is given → rows of tokens, what is predicted of these → an answer. */
export interface PipelineTask<Item, Options, Own extends Encoded, Answer> {
  /** The head that its model has. */
  readonly head: Task
  /** Whether the model judges all tokens, or those that each row names. */
  readonly judges: 'all' | 'some'
  /** How many arguments of a call stand before the options. */
  readonly arity: number
  /** @throws TrainerError ('data') for what is not to be answered, naming it. */
  read(given: readonly unknown[], options: Options): Items<Item>
  /** The options of a call with their defaults. @throws TrainerError ('argument') for what it does not have. */
  options(given: object | undefined): Options
  /** @param name what errors call the item. */
  encode(item: Item, options: Options, name: string): Own
  decode(encoded: Own, predictions: readonly RowPrediction[], options: Options): Answer
  /** What a call returns. */
  collect(answers: readonly Answer[], isList: boolean, options: Options): unknown
}

// rows of tokens → what a model predicts for each
import { PeftModel } from '../auto/PeftModel'
import type { PreTrainedModel } from '../auto/PreTrainedModel'
import type { Engine, EngineValues, Program } from '../engine/Engine'
import type { Feed, FeedLayout } from '../feeds/FeedLayout'
import { architectureOf } from '../models/registry'
import { transformer } from '../models/transformer'
import type { Model } from '../models/Model'
import { encode, externalBytes } from '../onnx/encode'
import { judgedTokensInput, predictionGraph } from '../programs/inference'
import { type Batch, concatenate, Tensor } from '../tensor'
import { inputsOf } from '../training/LabelledFeed'
import { longestTurn, takeTurns } from '../turns'
import { BatchQueue } from './BatchQueue'

/** A row of tokens, as a tokenizer makes it. */
export interface TokenRow {
  /** What errors call it. */
  readonly name: string
  readonly ids: readonly number[]
  readonly segments?: readonly number[] | undefined
  /** The columns of the tokens that are judged, where not all are. */
  readonly judged?: readonly number[]
}

/** What a model predicts for a row: its outputs under Python's names, without the axis of rows. */
export type RowPrediction = Readonly<Record<string, Tensor<'float32'>>>

/** How a predictor computes. */
export interface PredictorOptions {
  readonly batchSize: number
  /** Whether rows say which of their tokens are judged. */
  readonly judges: 'all' | 'some'
}

/**
 * A model's weights as they are now, in a program on an engine. Rows of many calls are computed in one batch, without
 * padding, so that a row's prediction does not depend on the others.
 */
export class Predictor {
  readonly #engine: Engine
  readonly #program: Program
  readonly #model: Model
  readonly #layout: FeedLayout
  readonly #judges: PredictorOptions['judges']
  readonly #queue: BatchQueue<TokenRow, RowPrediction>
  /** Milliseconds that a token took in the last run. */
  #tokenTime = Infinity
  readonly #turns = takeTurns()

  private constructor(engine: Engine, program: Program, model: Model, layout: FeedLayout, options: PredictorOptions) {
    this.#engine = engine
    this.#program = program
    this.#model = model
    this.#layout = layout
    this.#judges = options.judges
    this.#queue = new BatchQueue(rows => this.#run(rows), options.batchSize)
  }

  /**
   * On an engine that is there, and is the predictor's from now on.
   * @throws TrainerError when the model does not load.
   */
  static async create(model: PreTrainedModel<unknown>, engine: Engine, options: PredictorOptions): Promise<Predictor> {
    try {
      const merged = model instanceof PeftModel ? model.mergeAndUnload() : model
      const definition = withoutPadding(merged)
      // attention in one group: feeds of one variant, and so the weights once
      const layout = definition.layout({ rows: 1, fewShapes: engine.preparesShapes })
      const graph = predictionGraph(definition, layout, name => merged.parameter(name), options.judges)
      const { model: bytes, externalData } = encode(graph)
      const external = externalData && {
        [externalData.name]: concatenate(Uint8Array, [...externalBytes(externalData)]),
      }
      const program = await engine.load(bytes, { name: 'prediction', ...(external && { externalData: external }) })
      return new Predictor(engine, program, definition, layout, options)
    } catch (error) {
      engine.dispose()
      throw error
    }
  }

  /** What the model predicts for each row. @throws TrainerError ('data') naming the row that it cannot take. */
  async predict(rows: readonly TokenRow[]): Promise<RowPrediction[]> {
    // rows of similar length share batches: attention is padded to the longest
    const order = rows.map((_, row) => row).sort((a, b) => rows[b]!.ids.length - rows[a]!.ids.length)
    const found = await this.#queue.add(order.map(row => rows[row]!))
    const predictions: RowPrediction[] = []
    for (const [place, row] of order.entries()) predictions[row] = found[place]!
    return predictions
  }

  async dispose(): Promise<void> {
    await this.#queue.close()
    this.#engine.dispose()
  }

  async #run(rows: readonly TokenRow[]): Promise<RowPrediction[]> {
    const batch = batchOfRows(rows)
    const feed = this.#layout.feed(batch, row => rows[row]!.name)
    const shape = batch.input_ids!.dims
    const inputs = inputsOf(
      this.#program,
      { ...feed, labels: undefined, shape, lossOnly: false, rowName: row => rows[row]!.name },
      { count: 0 },
      this.#judges === 'some' ? { [judgedTokensInput]: judgedTokens(rows, feed, shape[1]!, this.#engine) } : {},
    )
    const outputs = await this.#compute(inputs, feed.size.realTokens)
    if (this.#judges === 'some') return judgedPredictions(rows, outputs)
    const { head } = this.#model
    const predicted = head.predictions(outputs, feed.places, shape) as Record<string, Tensor<'float32'>>
    return rows.map((row, at) => rowOf(predicted, at, head.reads === 'first' ? undefined : row.ids.length))
  }

  /**
   * Where a run takes no longer than anything may hold the event loop, the way to another thread and back is spared.
   */
  async #compute(inputs: EngineValues, tokens: number): Promise<Record<string, Tensor<'float32'>>> {
    const startedAt = performance.now()
    const blocking = !this.#engine.preparesShapes && tokens * this.#tokenTime <= longestTurn
    const outputs = await this.#program.run(inputs, {}, { blocking })
    this.#tokenTime = (performance.now() - startedAt) / tokens
    if (blocking) await this.#turns() // answers may ask for more at once
    return outputs as Record<string, Tensor<'float32'>>
  }
}

/**
 * What a model computes, of which a head that reads padding too reads none: what it gives for padding counts for
 * nothing.
 */
function withoutPadding(model: PreTrainedModel<unknown>): Model {
  const { head } = model.definition
  if (head.reads !== 'columns') return model.definition
  return transformer(architectureOf(model.config), model.config, { ...head, reads: 'all' }) as Model
}

/** Rows as a batch; what stands behind the shorter ones is masked, and never computed. */
function batchOfRows(rows: readonly TokenRow[]): Batch {
  const length = Math.max(...rows.map(({ ids }) => ids.length))
  const column = (values: (row: TokenRow) => readonly number[]): Tensor<'int32'> => {
    const data = new Int32Array(rows.length * length)
    for (const [at, row] of rows.entries()) data.set(values(row), at * length)
    return new Tensor('int32', data, [rows.length, length])
  }
  return {
    input_ids: column(row => row.ids),
    attention_mask: column(row => row.ids.map(() => 1)),
    ...(rows[0]!.segments !== undefined && { token_type_ids: column(row => row.segments!) }),
  }
}

/** The numbers that the judged tokens have in a feed, in the order of the rows. */
function judgedTokens(rows: readonly TokenRow[], { places }: Feed, width: number, engine: Engine): Tensor<'int32'> {
  const tokens = new Map<number, number>()
  places.slots.forEach((slot, token) => tokens.set(slot, token))
  const judged = rows.flatMap((row, at) => row.judged!.map(column => tokens.get(at * width + column)!))
  const multiple = engine.preparesShapes ? 16 : 1
  while (judged.length % multiple !== 0) judged.push(0)
  return new Tensor('int32', Int32Array.from(judged), [judged.length])
}

function judgedPredictions(
  rows: readonly TokenRow[],
  outputs: Readonly<Record<string, Tensor<'float32'>>>,
): RowPrediction[] {
  let first = 0
  return rows.map(({ judged }) => {
    const end = first + judged!.length
    const own = Object.entries(outputs).map(([name, tensor]) => [name, partOf(tensor, first, end)] as const)
    first = end
    return Object.fromEntries(own)
  })
}

/** A row of each tensor [rows, …]; of [rows, length, …] its first tokens, where it is said how many. */
function rowOf(
  tensors: Readonly<Record<string, Tensor<'float32'>>>,
  row: number,
  tokens: number | undefined,
): RowPrediction {
  const entries = Object.entries(tensors).map(([name, tensor]) => {
    const { dims, data } = partOf(tensor, row, row + 1)
    const whole = new Tensor('float32', data, dims.slice(1))
    return [name, tokens === undefined ? whole : partOf(whole, 0, tokens)] as const
  })
  return Object.fromEntries(entries)
}

/** A stretch of a tensor's first axis; its data is not copied. */
function partOf({ data, dims }: Tensor<'float32'>, first: number, end: number): Tensor<'float32'> {
  const size = data.length / dims[0]!
  return new Tensor('float32', data.subarray(first * size, end * size), [end - first, ...dims.slice(1)])
}

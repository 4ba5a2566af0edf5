// a model's config.json → the most tokens that its positions can count

/** Families whose positions are a table from 0. */
const fromZero = ['bert', 'electra', 'distilbert', 'convbert', 'mobilebert', 'squeezebert', 'albert']
/** Families whose first position stands behind the one of padding. */
const fromPadding = ['roberta', 'longformer', 'xlm-roberta', 'camembert', 'mpnet']

/** The positions of a model; undefined where its config names none, or where they are no table. */
export function positionsOf(config: Readonly<Record<string, unknown>>): number | undefined {
  const { model_type: kind, max_position_embeddings: rows, pad_token_id: padding } = config
  if (typeof kind !== 'string' || !Number.isInteger(rows) || (rows as number) < 1) return undefined
  if (fromZero.includes(kind)) return rows as number
  if (!fromPadding.includes(kind)) return undefined
  const before = Number.isInteger(padding) ? (padding as number) + 1 : 2
  return (rows as number) > before ? (rows as number) - before : undefined
}

/**
 * The kernels that are not compiled from a graph: sums of squares, clearing and dropout masks. One module holds all of
 * them: {@link createKernels}.
 */
import {
  assemble,
  type Code,
  f32x4,
  f64,
  f64x2,
  type FunctionBody,
  i32,
  i32x4,
  Locals,
  memoryFill,
  type Type,
  v128,
  when,
  whileLoop,
} from './assembler'

/**
 * A module of
 * - `sumOfSquares(address, count) → float64`: each element squared and added in float64, in four interleaved sums;
 * - `clear(address, count)`: zeros;
 * - `maskRow(address, count, first, key1, key2, threshold, scale)`: `scale` or 0 for `count` elements from `first` on;
 * - `maskPlane(address, rows, width, drawnRows, count, key1, key2, threshold, scale)`: a [rows, width] plane of which
 *   the first `drawnRows` rows and `count` columns are drawn, the entry (q, k) as element 65536 q + k, and the others
 *   are 0;
 * - `maskRowBytes` and `maskPlaneBytes`: the same with bytes, 1 or 0, whatever `scale` is.
 *
 * An element's draw is {@link draw}; it is kept where the draw, as a signed number, is greater than `threshold`.
 */
export function createKernels(): Uint8Array<ArrayBuffer> {
  return assemble([sumOfSquares(), clear(), ...[numbers, bytes].flatMap(form => [maskRow(form), maskPlane(form)])])
}

function define(
  name: string,
  parameters: Readonly<Record<string, Type>>,
  results: readonly Type[],
  write: (locals: Locals) => Code,
): FunctionBody {
  const locals = new Locals(parameters)
  const code = write(locals)
  return { name, parameters: locals.parameters, results, locals: locals.types, code }
}

/** address := address + bytes */
function advance(locals: Locals, local: string, by: Code): Code {
  return locals.set(local, 'i32', [locals.get(local), by, i32.add])
}

/** The address behind `count` elements, with its last bits cut off so that whole vectors end there. */
function vectorsEnd(locals: Locals, shift = 2): Code {
  return [
    locals.get('address'),
    locals.get('count'),
    i32.constant(-4),
    i32.and,
    i32.constant(shift),
    i32.shiftLeft,
    i32.add,
  ]
}

function sumOfSquares(): FunctionBody {
  return define('sumOfSquares', { address: 'i32', count: 'i32' }, ['f64'], locals => {
    const gather = (sum: string): Code => [
      locals.set('d', 'v128', [locals.get('x'), f64x2.promoteLower]),
      locals.set(sum, 'v128', [locals.get(sum), locals.get('d'), locals.get('d'), f64x2.multiply, f64x2.add]),
    ]
    const pass = (load: Code, step: number): Code => [
      locals.set('x', 'v128', [locals.get('address'), load]),
      gather('low'),
      locals.set('x', 'v128', [locals.get('x'), locals.get('x'), v128.upper]),
      gather('high'),
      advance(locals, 'address', i32.constant(step)),
    ]
    return [
      locals.set('low', 'v128', f64x2.zero),
      locals.set('high', 'v128', f64x2.zero),
      locals.set('end', 'i32', [locals.get('address'), locals.get('count'), i32.constant(2), i32.shiftLeft, i32.add]),
      locals.set('vectors', 'i32', vectorsEnd(locals)),
      whileLoop([locals.get('address'), locals.get('vectors'), i32.lessUnsigned], pass(v128.load, 16)),
      whileLoop([locals.get('address'), locals.get('end'), i32.lessUnsigned], pass(v128.loadLane, 4)),
      locals.set('low', 'v128', [locals.get('low'), locals.get('high'), f64x2.add]),
      locals.get('low'),
      f64x2.lane(0),
      locals.get('low'),
      f64x2.lane(1),
      f64.add,
    ]
  })
}

function clear(): FunctionBody {
  return define('clear', { address: 'i32', count: 'i32' }, [], locals => [
    locals.get('address'),
    i32.constant(0),
    locals.get('count'),
    i32.constant(2),
    i32.shiftLeft,
    memoryFill,
  ])
}

/**
 * 2³² divided by the golden ratio: its multiples spread evenly, so that no distance between elements shows in the
 * draws.
 */
const weyl = 0x9e3779b9

const maskParameters = { key1: 'i32', key2: 'i32', threshold: 'i32', scale: 'f32' } as const

/** The vectors that stay the same for a whole mask. */
function prepareMask(locals: Locals): Code {
  return [
    locals.set('factor1', 'v128', [i32.constant(0x21f0aaad), i32x4.splat]),
    locals.set('factor2', 'v128', [i32.constant(0x735a2d97), i32x4.splat]),
    locals.set('step', 'v128', [i32.constant(Math.imul(4, weyl)), i32x4.splat]),
    locals.set('keys2', 'v128', [locals.get('key2'), i32x4.splat]),
    locals.set('thresholds', 'v128', [locals.get('threshold'), i32x4.splat]),
    locals.set('scales', 'v128', [locals.get('scale'), f32x4.splat]),
  ]
}

/** The vector of weyl · element + key1, for an element and its three followers. */
function elementsFrom(locals: Locals, first: Code): Code {
  const followers = v128.constant([0, 1, 2, 3].map(i => Math.imul(i, weyl)) as [number, number, number, number])
  return locals.set('elements', 'v128', [
    first,
    i32.constant(weyl),
    i32.multiply,
    locals.get('key1'),
    i32.add,
    i32x4.splat,
    followers,
    i32x4.add,
  ])
}

/**
 * 32 random bits for each element of the vector `elements`: the finaliser "lowbias32" (Wellons,
 * https://nullprogram.com/blog/2018/07/31/, with its later constants) of weyl · element + key1, with key2 mixed in
 * between its two products, so that different keys are not windows of one sequence. (Of element + key1 alone, draws at
 * a distance of a power of two were measurably alike.)
 */
function draw(locals: Locals): Code {
  const mix = (shift: number): Code =>
    locals.set('h', 'v128', [locals.get('h'), locals.get('h'), i32.constant(shift), i32x4.shiftRight, v128.xor])
  const times = (factor: string): Code => locals.set('h', 'v128', [locals.get('h'), locals.get(factor), i32x4.multiply])
  return [
    locals.set('h', 'v128', locals.get('elements')),
    mix(16),
    times('factor1'),
    locals.set('h', 'v128', [locals.get('h'), locals.get('keys2'), v128.xor]),
    mix(15),
    times('factor2'),
    mix(15),
  ]
}

/** How a mask's elements are written. */
interface Form {
  /** What its kernels' names end with. */
  readonly suffix: string
  /** An element has 2 to the power of this bytes. */
  readonly shift: number
  /** Sets `kept` to the next four, of the draws that are all ones where they are kept. */
  keep(locals: Locals, draws: Code): Code
  /** Writes four, or one of them, at `address`. */
  storeAll(locals: Locals): Code
  storeOne(locals: Locals, lane: number): Code
}

/** `scale` or 0, in float32. */
const numbers: Form = {
  suffix: '',
  shift: 2,
  keep: (locals, draws) => locals.set('kept', 'v128', [draws, locals.get('scales'), v128.and]),
  storeAll: locals => [locals.get('address'), locals.get('kept'), v128.store],
  storeOne: (locals, lane) => [locals.get('address'), locals.get('kept'), v128.storeLane(lane, 4 * lane)],
}

/** 1 or 0, in a byte: four bits are spread over four bytes by one product. */
const bytes: Form = {
  suffix: 'Bytes',
  shift: 0,
  keep: (locals, draws) =>
    locals.set('word', 'i32', [
      draws,
      i32x4.bitmask,
      i32.constant(0x00204081),
      i32.multiply,
      i32.constant(0x01010101),
      i32.and,
    ]),
  storeAll: locals => [locals.get('address'), locals.get('word'), i32.store],
  storeOne: (locals, lane) => [
    locals.get('address'),
    locals.get('word'),
    i32.constant(8 * lane),
    i32.shiftRight,
    i32.storeByte(lane),
  ],
}

/** The mask's next four values; moves on to the next elements. */
function drawMask(locals: Locals, form: Form): Code {
  return [
    draw(locals),
    form.keep(locals, [locals.get('h'), locals.get('thresholds'), i32x4.greater]),
    locals.set('elements', 'v128', [locals.get('elements'), locals.get('step'), i32x4.add]),
  ]
}

/** Stores what was drawn last at `address`: only what lies below `end`, which is less than four elements away. */
function storeRest(locals: Locals, form: Form): Code {
  return [0, 1, 2].map(lane => {
    const at = i32.constant(lane << form.shift)
    const below = [locals.get('address'), at, i32.add, locals.get('end'), i32.lessUnsigned]
    return when(below, form.storeOne(locals, lane))
  })
}

/** Draws `count` elements to `address` and leaves `address` behind the last. */
function drawRow(locals: Locals, form: Form): Code {
  const length = [locals.get('count'), i32.constant(form.shift), i32.shiftLeft]
  return [
    locals.set('end', 'i32', [locals.get('address'), length, i32.add]),
    locals.set('vectors', 'i32', vectorsEnd(locals, form.shift)),
    whileLoop(
      [locals.get('address'), locals.get('vectors'), i32.lessUnsigned],
      [drawMask(locals, form), form.storeAll(locals), advance(locals, 'address', i32.constant(4 << form.shift))],
    ),
    when(
      [locals.get('address'), locals.get('end'), i32.lessUnsigned],
      [drawMask(locals, form), storeRest(locals, form)],
    ),
    locals.set('address', 'i32', locals.get('end')),
  ]
}

function maskRow(form: Form): FunctionBody {
  const parameters = { address: 'i32', count: 'i32', first: 'i32', ...maskParameters } as const
  return define(`maskRow${form.suffix}`, parameters, [], locals => [
    prepareMask(locals),
    elementsFrom(locals, locals.get('first')),
    drawRow(locals, form),
  ])
}

function maskPlane(form: Form): FunctionBody {
  return define(
    `maskPlane${form.suffix}`,
    { address: 'i32', rows: 'i32', width: 'i32', drawnRows: 'i32', count: 'i32', ...maskParameters },
    [],
    locals => {
      const sizeOf = (count: Code): Code => [count, i32.constant(form.shift), i32.shiftLeft]
      const zeros = (length: Code): Code => [locals.get('address'), i32.constant(0), length, memoryFill]
      const padding = sizeOf([locals.get('width'), locals.get('count'), i32.subtract])
      return [
        prepareMask(locals),
        locals.set('row', 'i32', i32.constant(0)),
        whileLoop(
          [locals.get('row'), locals.get('drawnRows'), i32.lessUnsigned],
          [
            elementsFrom(locals, [locals.get('row'), i32.constant(16), i32.shiftLeft]),
            drawRow(locals, form),
            when(
              [locals.get('width'), locals.get('count'), i32.subtract],
              [zeros(padding), advance(locals, 'address', padding)],
            ),
            advance(locals, 'row', i32.constant(1)),
          ],
        ),
        zeros(sizeOf([locals.get('rows'), locals.get('drawnRows'), i32.subtract, locals.get('width'), i32.multiply])),
      ]
    },
  )
}

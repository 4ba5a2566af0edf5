import { apply, type Case, type Cases, lengths } from './case'

const gemms: readonly Case[] = [0, 1].flatMap(transA =>
  [0, 1].flatMap(transB => {
    const a = transA ? [4, 'n'] : ['n', 4]
    const b = transB ? [2, 4] : [4, 2]
    const name = `A${transA ? 'ᵀ' : ''} B${transB ? 'ᵀ' : ''}`
    return [
      { title: name, build: apply('Gemm', { transA, transB }), inputs: [a, b], lengths },
      {
        title: `${name}, alpha and beta, a bias`,
        build: apply('Gemm', { transA, transB, alpha: 0.7, beta: -1.3 }),
        inputs: [a, b, [2]],
        lengths,
      },
    ]
  }),
)

/** Products of matrices. */
export const products = {
  MatMul: [
    {
      title: 'matrices',
      build: apply('MatMul'),
      inputs: [
        ['n', 4],
        [4, 3],
      ],
      lengths,
    },
    {
      title: 'a weight',
      build: apply('MatMul'),
      inputs: [
        ['n', 2, 4],
        [4, 3],
      ],
      lengths,
    },
    {
      title: 'a weight, two named lengths',
      build: apply('MatMul'),
      inputs: [
        ['n', 'm', 4],
        [4, 3],
      ],
      lengths,
    },
    {
      title: 'a weight of a named length',
      build: apply('MatMul'),
      inputs: [
        ['n', 2, 'm'],
        ['m', 3],
      ],
      lengths,
    },
    {
      title: 'a batch',
      build: apply('MatMul'),
      inputs: [
        ['n', 2, 4],
        ['n', 4, 3],
      ],
      lengths,
    },
    {
      title: 'batches stretched',
      build: apply('MatMul'),
      inputs: [
        ['n', 1, 2, 4],
        [5, 4, 3],
      ],
      lengths,
    },
    {
      title: 'the first without a batch',
      build: apply('MatMul'),
      inputs: [
        [2, 4],
        ['n', 4, 3],
      ],
      lengths,
    },
    {
      title: 'scores, scaled',
      build: (g, q, k) => g.mul(g.matMul(q!, g.transposeLast(k!)), 0.5),
      inputs: [
        ['n', 2, 'm', 4],
        ['n', 2, 'm', 4],
      ],
      lengths,
    },
    {
      title: 'a scaled product',
      build: (g, a, b) => g.mul(g.matMul(a!, b!), -0.25),
      inputs: [
        ['n', 2, 4],
        [4, 3],
      ],
      lengths,
    },
  ],
  Gemm: [
    ...gemms,
    {
      title: 'a full addend',
      build: apply('Gemm', { beta: 2 }),
      inputs: [
        ['n', 4],
        [4, 2],
        ['n', 2],
      ],
      lengths,
    },
    {
      title: 'an addend per row',
      build: apply('Gemm'),
      inputs: [
        ['n', 4],
        [4, 2],
        ['n', 1],
      ],
      lengths,
    },
    { title: 'a scalar addend', build: apply('Gemm'), inputs: [[3, 4], [4, 2], []] },
    {
      title: 'scaled',
      build: (g, a, b, c) => g.mul(g.gemm(a!, b!, c!, { alpha: 2 }), 0.5),
      inputs: [[3, 4], [4, 2], [2]],
    },
  ],
} satisfies Cases

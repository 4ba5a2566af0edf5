// A scratch file: change it freely, run it with `npx tsx play.ts`, leave it out of your commit.
import { Tensor } from 'ts-trainer'

console.log(
  Tensor.from('float32', [
    [1, 2],
    [3, 4],
  ])
    .softmax()
    .tolist(),
)

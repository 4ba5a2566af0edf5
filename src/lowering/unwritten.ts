import type { LoweringTable } from './Lowering'
import { refusals } from './refused'

const random = ['Bernoulli', 'Multinomial', 'RandomNormal', 'RandomNormalLike', 'RandomUniform', 'RandomUniformLike']
const pictures = 'AffineGrid CenterCropPad Col2Im DeformConv GridSample MaxRoiPool MaxUnpool RoiAlign'.split(' ')
const signals = ['BlackmanWindow', 'DFT', 'HammingWindow', 'HannWindow', 'MelWeightMatrix', 'STFT']
const texts = 'ImageDecoder RegexFullMatch StringConcat StringNormalizer StringSplit TfIdfVectorizer'.split(' ')

const inFront = 'Export the model without that part, and do it in the data collator.'

/** The operators of ONNX, up to opset 21, that no rule writes. */
export const unwritten: LoweringTable = {
  ...refusals(
    random,
    'it draws numbers when the graph runs, which would be others on every runtime',
    'Export the model in evaluation mode, or with the numbers as an input that the data collator draws; of dropout export the operator Dropout.',
    '',
  ),
  ...refusals(
    ['Loop', 'Scan', 'SequenceMap'],
    'it runs a graph again and again, which no graph of ordinary operators does',
    'Export the model with its steps written out for a fixed number of them.',
    '',
  ),
  ...refusals(
    ['NonMaxSuppression'],
    'how many elements it gives depends on values that are known only when the graph runs',
    'Export the model up to the scores that it chooses by.',
    '',
  ),
  ...refusals(
    pictures,
    'neither what it computes nor its gradient is written',
    `${inFront} Or use Resize, Pad or Gather in its place.`,
    '',
  ),
  ...refusals(
    signals,
    'neither what it computes nor its gradient is written',
    `${inFront} Or give what it makes as a constant.`,
    '',
  ),
  ...refusals(['Det'], 'neither what it computes nor its gradient is written', 'Export the model without it.', ''),
  ...refusals(
    ['BitShift', 'BitwiseAnd', 'BitwiseNot', 'BitwiseOr', 'BitwiseXor'],
    'the bits of integers are not computed here',
    inFront,
    '',
  ),
  ...refusals(texts, 'it reads texts or files, which are no tensors of numbers', inFront, ''),
  ...refusals(
    ['Optional', 'OptionalGetElement', 'OptionalHasElement'],
    'a value that may be missing is no tensor',
    'Export the model for inputs that are all given.',
    '',
  ),
}

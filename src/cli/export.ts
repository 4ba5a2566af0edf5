// a model → an ONNX file for inference
import { join } from 'node:path'
import { AutoTokenizer, exportOnnx } from '../index'
import { exitCodes } from './exitCodes'
import { type CommandTable, type FlagTable, readFlags, UsageError } from './flags'
import { modelFlags, modelWord } from './modelFlags'
import { modelTasks, trainedModel } from './models'
import type { Streams } from './Streams'

const table = {
  name: 'export',
  usage: 'MODEL --output DIR [FLAGS]',
  about: [
    'Writes a model as an ONNX file with its weights inside, for ONNX Runtime and transformers.js, with config.json and the tokenizer beside it. Other files of the folder stay. float32 is onnx/model.onnx; float16 is onnx/model_fp16.onnx, half as large, which transformers.js opens with dtype fp16. Prints the path of the file.',
    '',
    '  npx ts-trainer export out/model --output out/model --dtype float16',
  ],
  words: 1,
  flags: {
    output: { type: 'text', value: 'DIR', help: 'The folder; that of the model too.', required: true },
    dtype: {
      type: 'text',
      value: 'DTYPE',
      choices: ['float32', 'float16', 'int8'],
      help: 'float32 or float16; int8 is made in Python, which is said.',
      default: 'float32',
    },
    task: {
      type: 'text',
      value: 'TASK',
      choices: modelTasks,
      help: 'What the model was trained for. By default what its config.json says.',
    },
    revision: modelFlags.revision,
  },
} as const satisfies CommandTable<FlagTable>

/** `ts-trainer export`. */
export async function runExport(words: readonly string[], streams: Streams): Promise<number> {
  const given = readFlags(table, words, streams)
  if (given === undefined) return exitCodes.done
  const { values, rest } = given
  const name = modelWord('export', rest[0])
  if (values.dtype === 'int8') throw noBytes(values.output)
  const source = values.revision === undefined ? {} : { revision: values.revision }
  const model = await trainedModel(name, values.task, source)
  const tokenizer = await AutoTokenizer.fromPretrained(name, source)
  const { dtype } = values
  await streams.out(join(values.output, await exportOnnx(model, values.output, { dtype, tokenizer })))
  return exitCodes.done
}

function noBytes(folder: string): UsageError {
  const [from, to] = ['model.onnx', 'model_quantized.onnx'].map(name => JSON.stringify(join(folder, 'onnx', name)))
  return new UsageError('--dtype int8 is not there: no library for Node quantizes ONNX files.', {
    fix: `Export float32, then, with Python (pip install onnx onnxruntime): python -c 'from onnxruntime.quantization import quantize_dynamic; quantize_dynamic(${from}, ${to})'. transformers.js opens it with dtype q8.`,
  })
}

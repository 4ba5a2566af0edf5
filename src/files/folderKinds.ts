import { TrainerError } from '../errors'
import { checkpointName, checkpointStep } from './checkpointNames'
import { listFolder } from './paths'

/** Files that only a model's folder has. */
const weightsNames = [
  'model.safetensors',
  'model.safetensors.index.json',
  'pytorch_model.bin',
  'pytorch_model.bin.index.json',
]

/** Folders that are given as a model's and are something else: what each is told by, what it is, and what to do. */
const kinds: readonly {
  readonly isOne: (names: ReadonlySet<string>) => boolean
  readonly what: string
  readonly fix: (folder: string, names: ReadonlySet<string>, inside: (name: string) => string) => string
}[] = [
  {
    isOne: names => names.has('adapter_config.json'),
    what: 'a PEFT adapter: changes to the weights of a base model, not a model',
    fix: folder =>
      `It is opened with its base by the class of its task: AutoModelForSequenceClassification.fromPretrained(${JSON.stringify(folder)}).`,
  },
  {
    isOne: names => names.has('dataset_dict.json') || (names.has('dataset_info.json') && names.has('state.json')),
    what: "a dataset that save_to_disk of Python's datasets wrote, not a model",
    fix: () => 'Give the folder of a model, with config.json and model.safetensors; datasets go to loadDataset().',
  },
  {
    isOne: names => names.has('modules.json') && names.has('0_Transformer'),
    what: 'a sentence-transformers model, whose encoder lies in the folder 0_Transformer',
    fix: (_folder, _names, inside) => `Give ${inside('0_Transformer')}.`,
  },
  {
    isOne: names => lastCheckpoint(names) !== undefined,
    what: 'the output of a training, with checkpoints in it',
    fix: (_folder, names, inside) => `Give one of them: ${inside(lastCheckpoint(names)!)}.`,
  },
  {
    isOne: names => !names.has('config.json') && names.has('training_args.json') && names.has('onnx'),
    what: 'a saved model without a config, as that of a graph of another program is saved',
    fix: (_folder, _names, inside) => `Its graph is read by AutoModel.fromOnnx('${inside('onnx/model.onnx')}').`,
  },
  {
    isOne: names => !names.has('config.json') && weightsNames.some(name => names.has(name)),
    what: 'the folder of a model whose config.json is missing',
    fix: () => "Put the model's config.json beside its weights, in Python by model.config.save_pretrained(folder).",
  },
  {
    isOne: names => !names.has('config.json') && (names.has('tokenizer.json') || names.has('vocab.txt')),
    what: 'the folder of a tokenizer without a model',
    fix: () => 'Save the model there too, in Python by model.save_pretrained(folder).',
  },
]

/**
 * Refuses a folder that holds no model but something else that people have at hand.
 * @throws TrainerError ('file') saying what it is, and what to give instead.
 */
export async function refuseOtherKinds(folder: string): Promise<void> {
  refuseOtherNames(folder, await listFolder(folder))
}

/**
 * The same for the names in a folder, which may be a repository's.
 * @param inside how a folder in it is given.
 */
export function refuseOtherNames(
  folder: string,
  list: Iterable<string>,
  inside: (name: string) => string = name => `${folder}/${name}`,
): void {
  const names = new Set(list)
  const kind = kinds.find(({ isOne }) => isOne(names))
  if (kind === undefined) return
  throw new TrainerError('file', `${folder} is ${kind.what}.`, { fix: kind.fix(folder, names, inside) })
}

/** Refuses the folder of a PEFT adapter, whatever else lies in it: Python would apply the adapter. */
export async function refuseAdapter(folder: string): Promise<void> {
  if ((await listFolder(folder)).includes('adapter_config.json')) await refuseOtherKinds(folder)
}

/** The name of the checkpoint of the largest step, of whichever run. */
function lastCheckpoint(names: ReadonlySet<string>): string | undefined {
  const steps = [...names].flatMap(name => checkpointStep(name) ?? [])
  return steps.length === 0 ? undefined : checkpointName(Math.max(...steps))
}

import type { Trainer, TrainingArgumentsOptions } from '../../src/index'
import { quietTrainer } from './quietTrainer'
import { tinyModel } from './tinyModel'

/** The run of test/fixtures/wandb: four updates on eight rows, evaluated after every second one. */
export function trackedTrainer(outputDir: string, args: TrainingArgumentsOptions = {}): Trainer {
  const rows = Array.from({ length: 8 }, (_, i) => ({
    input_ids: [2, 5 + i, 3],
    attention_mask: [1, 1, 1],
    labels: i % 2,
  }))
  return quietTrainer({
    model: tinyModel(),
    trainDataset: rows,
    evalDataset: rows,
    computeMetrics: () => ({ accuracy: 0.5 }),
    args: {
      ...{ outputDir, reportTo: 'wandb', runName: 'tiny', maxSteps: 4, loggingSteps: 1, evalSteps: 2, saveSteps: 2 },
      ...{ evalStrategy: 'steps', saveStrategy: 'steps', perDeviceTrainBatchSize: 4, ...args },
    },
  })
}

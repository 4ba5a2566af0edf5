// What the examples do with a Trainer: training, and the evaluation of the model that it leaves.
import type { Metrics, Trainer } from 'ts-trainer'

/**
 * Trains, saves the model, and evaluates it; results are printed, and kept in `output_dir` as by Python's run_*.py.
 * @param more the metrics of the evaluation with further ones.
 */
export async function trainAndEvaluate(
  trainer: Pick<Trainer, 'train' | 'saveModel' | 'logMetrics' | 'saveMetrics' | 'saveState' | 'evaluate' | 'dispose'>,
  resume: string | boolean | undefined,
  more: (metrics: Metrics) => Metrics = metrics => metrics,
): Promise<void> {
  const { metrics: trained } = await trainer.train({ resumeFromCheckpoint: resume })
  await trainer.saveModel()
  trainer.logMetrics('train', trained)
  await trainer.saveMetrics('train', trained)
  await trainer.saveState() // what it logged, as trainer_state.json

  const metrics = more(await trainer.evaluate())
  trainer.logMetrics('eval', metrics)
  await trainer.saveMetrics('eval', metrics)
  await trainer.dispose()
}

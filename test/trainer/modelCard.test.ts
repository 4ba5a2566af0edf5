import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { modelCard, resultsTable } from '../../src/modelCard/modelCard'
import { temporaryFolder } from '../helpers/temporaryFolder'
import { createTrainer, run } from './support'

describe('model card', () => {
  const history = [
    { eval_loss: 0.9, eval_accuracy: 0.5, eval_runtime: 1, epoch: 0.5, step: 1 },
    { loss: 0.71234567, learning_rate: 1, epoch: 1, step: 2 },
    { eval_loss: 0.25, eval_accuracy: 0.75, eval_samples_per_second: 2, epoch: 1, step: 2 },
    { train_runtime: 3, train_loss: 1, epoch: 1, step: 2 },
    { eval_loss: 0.2, eval_accuracy: 0.8, epoch: 2, step: 3 },
  ]

  it('has a row for every evaluation, those after training included', () => {
    expect(resultsTable(history)).toEqual([
      '| Training Loss | Epoch | Step | Validation Loss | Accuracy |',
      '|:-------------:|:-----:|:----:|:---------------:|:--------:|',
      '| No log        | 0.5   | 1    | 0.9             | 0.5      |',
      '| 0.7123        | 1     | 2    | 0.25            | 0.75     |',
      '| 0.7123        | 2     | 3    | 0.2             | 0.8      |',
    ])
  })

  it('has a header that the Hub reads', () => {
    const trainer = createTrainer({
      learningRate: 5e-5,
      labelSmoothingFactor: 0.1,
      gradientAccumulationSteps: 2,
      outputDir: join(temporaryFolder(), 'my-model'),
    })
    const card = modelCard(
      { args: trainer.args, model: trainer.model, logHistory: history, optimizer: 'adamw' },
      {
        language: 'en',
        license: 'apache-2.0',
        tags: ['generated_from_trainer', 'yes'],
        finetunedFrom: 'google/bert',
        datasetTags: 'nyu-mll/glue',
        dataset: 'GLUE MRPC',
        datasetArgs: 'mrpc',
      },
    )
    const [, header, body] = card.split(/^---$/m)
    expect(Object.keys(parse(header!) as object)).toEqual([
      'library_name',
      'language',
      'license',
      'base_model',
      'tags',
      'datasets',
      'metrics',
      'model-index',
    ])
    expect(parse(header!)).toEqual({
      library_name: 'transformers',
      language: ['en'],
      license: 'apache-2.0',
      base_model: 'google/bert',
      tags: ['generated_from_trainer', 'yes'],
      datasets: ['nyu-mll/glue'],
      metrics: ['accuracy'],
      'model-index': [
        {
          name: 'my-model',
          results: [
            {
              task: { name: 'Text Classification', type: 'text-classification' },
              dataset: { name: 'GLUE MRPC', type: 'nyu-mll/glue', config: 'mrpc', args: 'mrpc' },
              metrics: [{ name: 'Accuracy', type: 'accuracy', value: 0.8 }],
            },
          ],
        },
      ],
    })
    expect(body).toContain(
      '# my-model\n\nThis model is a fine-tuned version of [google/bert](https://huggingface.co/google/bert) on the GLUE MRPC dataset.',
    )
    expect(body).toContain('It achieves the following results on the evaluation set:\n- Loss: 0.2\n- Accuracy: 0.8\n')
    expect(body).toContain(
      '- learning_rate: 5e-05\n- train_batch_size: 4\n- eval_batch_size: 4\n- seed: 42\n- gradient_accumulation_steps: 2\n- total_train_batch_size: 8\n- optimizer: Use adamw_torch with betas=(0.9,0.999) and epsilon=1e-08 and optimizer_args=No additional optimizer arguments\n- lr_scheduler_type: linear\n- num_epochs: 2\n- label_smoothing_factor: 0.1\n',
    )
  })

  it('is written after a run, and keeps the tags that were there', async () => {
    const { trainer, outputDir } = await run({ evalStrategy: 'epoch' })
    writeFileSync(join(outputDir, 'README.md'), '---\ntags:\n- mine\n- "own: one"\n---\nold\n')
    await trainer.createModelCard({ modelName: 'true' })
    const card = readFileSync(join(outputDir, 'README.md'), 'utf8')
    const header = parse(card.split(/^---$/m)[1]!) as Record<string, unknown>
    expect(header.tags).toEqual(['mine', 'own: one', 'generated_from_trainer'])
    expect(header['model-index']).toEqual([{ name: 'true', results: [] }])
    expect(card).toContain('This model was trained from scratch on an unknown dataset.')
    expect(card.match(/^\| .*$/gm)).toHaveLength(3)
  })
})

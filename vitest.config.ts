import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: { alias: { 'ts-trainer': join(import.meta.dirname, 'src/index.ts') } },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/globalSetup.ts',
    pool: 'forks', // ONNX Runtime is opened once a process; worker threads would share it
    maxWorkers: 2,
    env: { OMP_NUM_THREADS: '1' }, // two files run at a time, and threads that wait for each other spin
    testTimeout: 180_000, // machines that are busy otherwise are no reason to fail
    hookTimeout: 180_000,
    reporters:
      process.env.CI === undefined ? ['default'] : ['default', ['json', { outputFile: 'out/unit-tests.json' }]],
  },
})

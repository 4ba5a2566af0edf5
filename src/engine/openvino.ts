import { existsSync } from 'node:fs'

export function openvinoLibrary(): string | undefined {
  const named = process.env['TS_TRAINER_OPENVINO']
  return named !== undefined && existsSync(named) ? named : undefined
}

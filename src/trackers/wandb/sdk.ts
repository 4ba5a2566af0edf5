import { createRequire } from 'node:module'
import { isOfflineAskedFor } from './settings'

/** The package that reports to a server, where it is installed: the file to load. */
export function sdkFile(): string | undefined {
  try {
    return createRequire(import.meta.url).resolve('@wandb/sdk')
  } catch {
    return undefined
  }
}

/** Whether `reportTo: 'all'` means Weights & Biases: where its package is installed, or files are asked for. */
export function isWandbHere(): boolean {
  return isOfflineAskedFor() || sdkFile() !== undefined
}

import { log } from '../logging'
import type { TrackedRun, TrackedSession } from './Tracker'
import { TrackerCallback } from './TrackerCallback'
import { openOfflineRun } from './wandb/offlineRun'
import { openOnlineRun } from './wandb/onlineRun'
import { isDisabled, refusals, wandbMode } from './wandb/settings'

/**
 * Reports to Weights & Biases, as transformers' callback of this name: to a server through the package `@wandb/sdk`, or with
 * WANDB_MODE=offline into a folder that `wandb sync` uploads. WANDB_PROJECT, WANDB_ENTITY, WANDB_NAME, WANDB_DIR and
 * WANDB_API_KEY are heeded; WANDB_LOG_MODEL and WANDB_WATCH are refused with a warning.
 */
export class WandbCallback extends TrackerCallback {
  constructor() {
    super({ name: 'Weights & Biases', takesPredictions: true, open: openRun })
  }
}

async function openRun(run: TrackedRun): Promise<TrackedSession> {
  const mode = wandbMode()
  if (mode === 'disabled') return silent(run)
  if (isDisabled()) {
    log(
      'warning',
      'WANDB_DISABLED: nothing is reported to Weights & Biases. The names for this are WANDB_MODE=disabled, or reportTo without it.',
    )
    return silent(run)
  }
  for (const refusal of refusals(mode)) log('warning', `Weights & Biases: ${refusal}`)
  return mode === 'offline' ? openOfflineRun(run) : openOnlineRun(run)
}

/** A run that is reported nowhere; one that a checkpoint knows stays known. */
function silent({ resumed = {} }: TrackedRun): TrackedSession {
  const nothing = (): Promise<void> => Promise.resolve()
  return { identity: resumed, log: nothing, finish: nothing }
}

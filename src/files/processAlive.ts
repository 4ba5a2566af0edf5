import { errorCode } from './systemErrors'

/** Whether a process of this machine is running, whoever it belongs to. */
export function isProcessAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    // EPERM: the process is alive, and somebody else's.
    return errorCode(error) !== 'ESRCH'
  }
}

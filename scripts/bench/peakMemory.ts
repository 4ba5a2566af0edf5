import { readFileSync } from 'node:fs'

/**
 * The most memory that was resident at once, in bytes; by the system's count where it keeps one for this program alone.
 */
export function peakMemory(): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]) * 1024
  } catch {
    return process.resourceUsage().maxRSS * 1024
  }
}

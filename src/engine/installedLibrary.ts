import { realpathSync } from 'node:fs'
import { dirname } from 'node:path'
import { cudaFolder, installedBuilds, installedCuda } from './cuda'
import { isCuda } from './deviceName'
import { nvidiaDriver } from './driver'

/**
 * The folder of what `npx ts-trainer install cuda` left, where that is the library to open: for 'cuda'; for 'auto' where
 * there is a driver and no other copy; and for every device once it is open, since there can be one copy only.
 * @param loadedLibraries lists the files of ONNX Runtime that the process has open.
 */
export function installedLibraryFor(device: string, loadedLibraries: () => string[]): string | undefined {
  const builds = installedBuilds()
  if (builds.length === 0) return undefined
  const loaded = loadedLibraries().map(dirname)
  const open = builds.map(build => realpathSync(cudaFolder(build))).find(folder => loaded.includes(folder))
  if (open !== undefined) return open
  if (/^auto$/i.test(device)) {
    const driver = loaded.length === 0 ? nvidiaDriver() : undefined
    return driver === undefined ? undefined : installedCuda(driver)
  }
  return isCuda(device) ? installedCuda(nvidiaDriver()) : undefined
}

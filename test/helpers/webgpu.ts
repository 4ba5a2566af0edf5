import { existsSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** SwiftShader, Vulkan in software, as Debian's chromium brings it. */
const softwareDriver = '/usr/lib/chromium/vk_swiftshader_icd.json'
/** Where the system's loader of Vulkan drivers may lie. */
const libraryFolders = [
  '/usr/lib/x86_64-linux-gnu',
  '/usr/lib/aarch64-linux-gnu',
  '/usr/lib64',
  '/usr/lib',
  '/usr/local/lib',
  ...(process.env['LD_LIBRARY_PATH'] ?? '').split(':').filter(folder => folder !== ''),
]

/**
 * Sees to it that WebGPU finds a driver in this process: on Linux that is a graphics card's, the one that the
 * environment names, or SwiftShader. To be called before the first engine on 'webgpu' is made, which prints warnings
 * where there is no driver.
 * @returns why no engine can be made; undefined where it is worth a try.
 */
export function findWebgpuDriver(): string | undefined {
  if (process.platform !== 'linux') return undefined // Metal or Direct3D 12
  if (!libraryFolders.some(folder => existsSync(join(folder, 'libvulkan.so.1'))))
    return `libvulkan.so.1 is in none of ${libraryFolders.join(', ')}`
  process.env['XDG_RUNTIME_DIR'] ??= tmpdir()
  if ('VK_DRIVER_FILES' in process.env || 'VK_ICD_FILENAMES' in process.env || hasGraphicsCard()) return undefined
  if (!existsSync(softwareDriver)) return `there is neither a graphics card nor ${softwareDriver}`
  process.env['VK_DRIVER_FILES'] = softwareDriver
  return undefined
}

function hasGraphicsCard(): boolean {
  if (existsSync('/dev/nvidia0')) return true
  return existsSync('/dev/dri') && readdirSync('/dev/dri').some(name => name.startsWith('renderD'))
}

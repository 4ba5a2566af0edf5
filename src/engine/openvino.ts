import { existsSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { cacheFolder, type PinnedWheel } from './pinnedWheel'

/** The version of the plug-in that is used. */
export const openvinoVersion = '1.8.1'
const pluginName = 'libonnxruntime_providers_openvino_plugin.so'

/**
 * OpenVINO's plug-in by platform and architecture. There is one for Windows too, whose libraries name a manifest that
 * names all its libraries: it is not known which of them could be left out.
 */
export const openvinoWheels: Readonly<Record<string, PinnedWheel>> = {
  'linux x64': {
    project: 'onnxruntime-ep-openvino',
    version: openvinoVersion,
    file: `onnxruntime_ep_openvino-${openvinoVersion}-py3-none-manylinux_2_28_x86_64.whl`,
    sha256: '3832643158c8c187fcab6db661cde2a8c06a2b3559d95d0f2411ac0e51c5e924',
    bytes: 52_587_628,
    members: [
      ...[
        pluginName,
        'libopenvino.so.2641',
        'libopenvino_intel_cpu_plugin.so',
        'libopenvino_onnx_frontend.so.2641',
        'libtbb.so.12',
      ].map(name => `onnxruntime_ep_openvino/${name}`),
      'onnxruntime_ep_openvino/third-party-programs.txt',
      `onnxruntime_ep_openvino-${openvinoVersion}.dist-info/METADATA`,
    ],
  },
}

/** The folder in the user's cache where `npx ts-trainer install openvino` puts the plug-in and its libraries. */
export function openvinoFolder(): string {
  return join(cacheFolder(), `openvino-${openvinoVersion}`)
}

/**
 * The plug-in to open: what the environment variable TS_TRAINER_OPENVINO names (the file or its folder), whether it
 * exists or not; else the one in the user's cache; undefined where there is none.
 */
export function openvinoLibrary(): string | undefined {
  const named = process.env['TS_TRAINER_OPENVINO']
  if (named)
    return statSync(named, { throwIfNoEntry: false })?.isDirectory() ? resolve(named, libraryName()) : resolve(named)
  const cached = join(openvinoFolder(), libraryName())
  return existsSync(cached) ? cached : undefined
}

function libraryName(): string {
  return process.platform === 'win32' ? 'onnxruntime_providers_openvino_plugin.dll' : pluginName
}

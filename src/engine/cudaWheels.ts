import type { PinnedWheel } from './pinnedWheel'

/** A major version of CUDA that a build of ONNX Runtime is there for. */
export type CudaMajor = '12' | '13'

/** ONNX Runtime with its CUDA provider, and NVIDIA's libraries that the provider needs. */
export interface CudaBuild {
  readonly cuda: CudaMajor
  /** The version of ONNX Runtime. */
  readonly version: string
  /** The oldest driver that runs it. */
  readonly driver: string
  /** The size of what is used of the wheels. */
  readonly unpacked: number
  readonly wheels: readonly PinnedWheel[]
}

const manylinux2010 = 'manylinux2010_x86_64.manylinux_2_12_x86_64'
const manylinux2014 = 'manylinux2014_x86_64.manylinux_2_17_x86_64'
const manylinux227 = 'manylinux_2_27_x86_64'
const cudnnLibraries = [
  'libcudnn.so.9',
  ...['adv', 'cnn', 'engines_precompiled', 'engines_runtime_compiled', 'graph', 'heuristic', 'ops'].map(
    part => `libcudnn_${part}.so.9`,
  ),
]

/**
 * The wheels of the Python package index, for Linux on x64. Which projects they are is what the extras `cuda` and
 * `cudnn` of onnxruntime-gpu name, with what those need; the versions are those that PyTorch 2.10 has for CUDA 12 and
 * PyTorch 2.13 for CUDA 13.
 */
export const cudaBuilds: Readonly<Record<CudaMajor, CudaBuild>> = {
  '12': {
    cuda: '12',
    version: '1.26.0',
    driver: '525',
    unpacked: 2_967_367_329,
    wheels: [
      onnxruntime(
        '1.26.0',
        'cp312-cp312-manylinux_2_27_x86_64.manylinux_2_28_x86_64',
        '3c01119ed4d9449d60367fa8ccffcd02bd3fe736754284e4b198d131f54edad6',
        276_971_796,
      ),
      nvidia(
        'nvidia-cublas-cu12',
        '12.8.4.1',
        manylinux227,
        '8ac4e771d5a348c551b2a426eda6193c19aa630236b418086020df5ba9667142',
        594_346_921,
        'cublas',
        ['libcublas.so.12', 'libcublasLt.so.12'],
        'License.txt',
      ),
      nvidia(
        'nvidia-cuda-nvrtc-cu12',
        '12.8.93',
        manylinux2010,
        'a7756528852ef889772a84c6cd89d41dfa74667e24cca16bb31f8f061e3e9994',
        88_040_029,
        'cuda_nvrtc',
        ['libnvrtc.so.12', 'libnvrtc-builtins.so.12.8'],
        'License.txt',
      ),
      nvidia(
        'nvidia-cuda-runtime-cu12',
        '12.8.90',
        manylinux2014,
        'adade8dcbd0edf427b7204d480d6066d33902cab2a4707dcfc48a2d0fd44ab90',
        954_765,
        'cuda_runtime',
        ['libcudart.so.12'],
        'License.txt',
      ),
      nvidia(
        'nvidia-cudnn-cu12',
        '9.10.2.21',
        manylinux227,
        '949452be657fa16687d0930933f032835951ef0892b37d2d53824d1a84dc97a8',
        706_758_467,
        'cudnn',
        cudnnLibraries,
      ),
      nvidia(
        'nvidia-cufft-cu12',
        '11.3.3.83',
        manylinux2014,
        '4d2dd21ec0b88cf61b62e6b43564355e5222e4a3fb394cac0db101f2dd0d4f74',
        193_118_695,
        'cufft',
        ['libcufft.so.11'],
        'License.txt',
      ),
      nvidia(
        'nvidia-curand-cu12',
        '10.3.9.90',
        manylinux227,
        'b32331d4f4df5d6eefa0554c565b626c7216f87a06a4f56fab27c3b68a830ec9',
        63_619_976,
        'curand',
        ['libcurand.so.10'],
        'License.txt',
      ),
      nvidia(
        'nvidia-nvjitlink-cu12',
        '12.8.93',
        manylinux2010,
        '81ff63371a7ebd6e6451970684f916be2eab07321b73c9d244dc2b4da7f73b88',
        39_254_836,
        'nvjitlink',
        ['libnvJitLink.so.12'],
        'License.txt',
      ),
    ],
  },
  '13': {
    cuda: '13',
    version: '1.30.0',
    driver: '580',
    unpacked: 2_023_515_619,
    wheels: [
      onnxruntime(
        '1.30.0',
        'cp312-cp312-manylinux_2_28_x86_64',
        '6acc0f4b3d5ac5f2984432faa59dd8fcce6775f8b43a7140afa0f322c7a703b1',
        246_685_715,
      ),
      nvidia(
        'nvidia-cublas',
        '13.1.1.3',
        manylinux227,
        '37936a16db8fe4ac1f065c2139360608a543a09275cb1a1af612e08cfa065436',
        423_138_758,
        'cu13',
        ['libcublas.so.13', 'libcublasLt.so.13'],
      ),
      nvidia(
        'nvidia-cuda-nvrtc',
        '13.0.88',
        manylinux2010,
        'ad9b6d2ead2435f11cbb6868809d2adeeee302e9bb94bcf0539c7a40d80e8575',
        90_215_200,
        'cu13',
        ['libnvrtc.so.13', 'libnvrtc-builtins.so.13.0'],
      ),
      nvidia(
        'nvidia-cuda-runtime',
        '13.0.96',
        manylinux2014,
        '7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548',
        2_243_632,
        'cu13',
        ['libcudart.so.13'],
      ),
      nvidia(
        'nvidia-cudnn-cu13',
        '9.20.0.48',
        manylinux227,
        '0c45dd8eeb50b603f07995b1b300c62ffe6a1980482b82b3bcf94a4ca9d49304',
        366_173_588,
        'cudnn',
        cudnnLibraries,
      ),
      nvidia(
        'nvidia-cufft',
        '12.0.0.61',
        manylinux2014,
        '6c44f692dce8fd5ffd3e3df134b6cdb9c2f72d99cf40b62c32dde45eea9ddad3',
        214_085_489,
        'cu13',
        ['libcufft.so.12'],
      ),
      nvidia(
        'nvidia-curand',
        '10.4.0.35',
        manylinux227,
        '1aee33a5da6e1db083fe2b90082def8915f30f3248d5896bcec36a579d941bfc',
        59_544_258,
        'cu13',
        ['libcurand.so.10'],
      ),
      nvidia(
        'nvidia-nvjitlink',
        '13.0.88',
        manylinux2010,
        '13a74f429e23b921c1109976abefacc69835f2f433ebd323d3946e11d804e47b',
        40_713_933,
        'cu13',
        ['libnvJitLink.so.13'],
      ),
    ],
  },
}

/** A wheel by its project, version and tag; libraries as paths in the archive. */
function wheel(
  project: string,
  version: string,
  tag: string,
  sha256: string,
  bytes: number,
  members: readonly string[],
): PinnedWheel {
  return { project, version, file: `${project.replaceAll('-', '_')}-${version}-${tag}.whl`, sha256, bytes, members }
}

/** A wheel of NVIDIA's: the libraries of one folder, and the licence among what describes the wheel. */
function nvidia(
  project: string,
  version: string,
  tag: string,
  sha256: string,
  bytes: number,
  folder: string,
  libraries: readonly string[],
  license = 'licenses/License.txt',
): PinnedWheel {
  const described = `${project.replaceAll('-', '_')}-${version}.dist-info/${license}`
  const members = [...libraries.map(name => `nvidia/${folder}/lib/${name}`), described]
  return wheel(project, version, `py3-none-${tag}`, sha256, bytes, members)
}

function onnxruntime(version: string, tag: string, sha256: string, bytes: number): PinnedWheel {
  const libraries = [
    `libonnxruntime.so.${version}`,
    'libonnxruntime_providers_cuda.so',
    'libonnxruntime_providers_shared.so',
  ]
  return wheel('onnxruntime-gpu', version, tag, sha256, bytes, [
    ...libraries.map(name => `onnxruntime/capi/${name}`),
    'onnxruntime/LICENSE',
    'onnxruntime/ThirdPartyNotices.txt',
  ])
}

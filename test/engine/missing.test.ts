import { describe, expect, it } from 'vitest'
import { nvidiaDriver } from '../../src/engine/driver'
import { findLibrary } from '../../src/engine/library'
import { describeLibrary, missingLibrary } from '../../src/engine/missing'
import { neededLibraries } from '../../src/engine/needed'
import { startError } from '../../src/engine/startError'
import { StatusError } from '../../src/engine/StatusError'

/** What ONNX Runtime 1.26 and 1.30 say; places and names as they were seen, shortened. */
const said = {
  library:
    '/onnxruntime_src/onnxruntime/core/session/provider_bridge_ort.cc:2329 onnxruntime::Provider& onnxruntime::ProviderLibrary::Get() ' +
    '[ONNXRuntimeError] : 1 : FAIL : Failed to load library /x/libonnxruntime_providers_cuda.so with error: ' +
    'libcublasLt.so.12: cannot open shared object file: No such file or directory',
  provider:
    'Failed to load library /x/libonnxruntime_providers_shared.so with error: /x/libonnxruntime_providers_shared.so: ' +
    'cannot open shared object file: No such file or directory',
  driver:
    'Failed to load library /x/libonnxruntime_providers_cuda.so with error: libcuda.so.1: cannot open shared object ' +
    'file: No such file or directory',
  windows:
    'Error loading "C:\\x\\onnxruntime_providers_cuda.dll" which depends on "cublasLt64_12.dll" which is missing. (Error 126)',
  code:
    '/onnxruntime_src/onnxruntime/core/providers/cuda/cuda_call.cc:129 ' +
    'std::conditional_t<THRW, void, onnxruntime::common::Status> onnxruntime::CudaCall(ERRTYPE, const char*, const char*) ' +
    '[with ERRTYPE = cudaError; bool THRW = true; std::conditional_t<THRW, void, common::Status> = void] CUDA failure 35: ' +
    'CUDA driver version is insufficient for CUDA runtime version ; GPU=-1 ; hostname=vm ; ' +
    'file=/onnxruntime_src/cuda_execution_provider.cc ; line=336 ; expr=cudaSetDevice(info_.device_id);',
  option: 'provider_options_utils.h:182 Parse Unknown provider option: "use_tf23".',
  value:
    'provider_options_utils.h:187 Parse Failed to parse provider option "use_tf32": parse_string.h:116 ' +
    'ParseStringWithClassicLocale Failed to parse value: "1".',
}

const messageOf = (reason: string): string => startError('cuda', new StatusError('Call', 1, reason)).message

describe('a library that is missing', () => {
  it('is found in what ONNX Runtime says', () => {
    expect(missingLibrary(said.library)).toBe('libcublasLt.so.12')
    expect(missingLibrary(said.provider)).toBe('libonnxruntime_providers_shared.so')
    expect(missingLibrary(said.driver)).toBe('libcuda.so.1')
    expect(missingLibrary(said.windows)).toBe('cublasLt64_12.dll')
    expect(missingLibrary('libcudnn.so.9 has no symbol')).toBeUndefined()
  })

  it.each([
    ['libcublasLt.so.12', 'cuBLAS of CUDA 12 (libcublasLt.so.12)'],
    ['libcudart.so.13', 'the runtime of CUDA 13 (libcudart.so.13)'],
    ['libcudnn.so.9', 'cuDNN 9 (libcudnn.so.9)'],
    ['cublas64_12.dll', 'cuBLAS of CUDA 12 (cublas64_12.dll)'],
    ['libonnxruntime_providers_cuda.so', "ONNX Runtime's CUDA provider (libonnxruntime_providers_cuda.so)"],
    ['libvulkan.so.1', 'the Vulkan loader (libvulkan.so.1)'],
    ['libother.so.2', 'libother.so.2'],
  ])('%s has a name that people know', (file, name) => {
    expect(describeLibrary(file)).toBe(name)
  })
})

describe('a provider that does not start', () => {
  it.runIf(process.platform === 'linux' && process.arch === 'x64')('says which command brings what is missing', () => {
    expect(messageOf(said.library)).toMatch(
      /^Provider 'cuda' does not start: Failed .+ libcublasLt\.so\.12: cannot open .+ install cuda/,
    )
    expect(messageOf(said.provider)).toContain('npx ts-trainer install cuda')
    expect(messageOf(said.provider).includes("NVIDIA's driver")).toBe(nvidiaDriver() === undefined) // without it nothing starts
    expect(messageOf(said.driver)).toContain("Install NVIDIA's driver, 525 or newer for CUDA 12")
  })

  it('says what to do about an error of CUDA', () => {
    expect(messageOf(said.code)).toMatch(
      /^Provider 'cuda' does not start: CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version\. .*driver/,
    )
    expect(messageOf('CUDA failure 101: invalid device ordinal ; GPU=0 ; hostname=vm')).toMatch(
      /ordinal\. There is no GPU with this index/,
    )
  })

  it('names an option that there is not, and one whose value is wrong', () => {
    expect(messageOf(said.option)).toBe('The provider \'cuda\' has no option "use_tf23". Did you mean "use_tf32"?')
    expect(messageOf(said.value)).toBe(
      'Provider \'cuda\' does not start: Failed to parse provider option "use_tf32": Failed to parse value: "1". ' +
        'Look at the value of this option in providerOptions.',
    )
    const number = 'std::errc{} == std::from_chars(x).ec was false. Invalid maxNumPendingDispatches value: x.'
    expect(startError('webgpu', new StatusError('Call', 1, number)).message).toMatch(/Look at the value of this option/)
    expect(startError('coreml', new StatusError('Call', 1, 'Unknown option: Units')).message).toMatch(
      /^The provider 'coreml' has no option "Units"/,
    )
  })
})

it.runIf(process.platform === 'linux')("reads a library's needs of its file", () => {
  expect(neededLibraries(findLibrary().path)).toContain('libc.so.6')
  expect(neededLibraries(import.meta.filename)).toEqual([])
})

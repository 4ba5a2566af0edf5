import koffi from 'koffi'

// A thread of koffi's has 128 KiB of stack by default: too little to compile WebGPU's shaders on. It dies of a
// segmentation fault.
const stackBytes = 8 * 1024 * 1024
const opened: NativeLibrary[] = []

/** A library file that is open in this process. */
export type NativeLibrary = ReturnType<typeof koffi.load>

/**
 * Opens a library for the rest of the process.
 * @param global whether its names are there for libraries that are opened after it.
 * @throws Error of koffi with the loader's reason.
 */
export function openNative(path: string, global = false): NativeLibrary {
  enlargeStacks()
  const library = koffi.load(path, { global })
  opened.push(library) // koffi unloads what nothing refers to
  keepToTheEnd(path)
  return library
}

/** Whether the loader finds and opens a library, which is closed again. */
export function canOpen(path: string): boolean {
  enlargeStacks()
  try {
    koffi.load(path).unload()
    return true
  } catch {
    return false
  }
}

/** True when another library was opened through koffi first: asynchronous calls have too little stack for shaders. */
export function smallStacks(): boolean {
  return (koffi.config().async_stack_size ?? 0) < stackBytes
}

/** koffi takes its settings before the first library only; where somebody was earlier, theirs hold. */
function enlargeStacks(): void {
  if (!smallStacks()) return
  try {
    koffi.config({ async_stack_size: stackBytes })
  } catch {
    // Whoever needs large stacks asks `smallStacks` first.
  }
}

type Dlopen = (path: string, flags: number) => unknown

const lazyAndKept = 0x1001 // RTLD_LAZY | RTLD_NODELETE of glibc
let dlopen: Dlopen | undefined

/**
 * koffi unloads its libraries before the process's exit handlers run. Those of ONNX Runtime's CUDA provider read what
 * was unloaded then: a segmentation fault at the end of a process in which CUDA did not start.
 */
function keepToTheEnd(path: string): void {
  if (process.platform === 'linux') (dlopen ??= findDlopen())(path, lazyAndKept)
}

function findDlopen(): Dlopen {
  for (const name of ['libc.so.6', 'libdl.so.2']) {
    try {
      const library = koffi.load(name)
      opened.push(library)
      return library.func('dlopen', 'void *', ['str', 'int']) as Dlopen
    } catch {
      // before glibc 2.34 it is in the second
    }
  }
  return () => undefined
}

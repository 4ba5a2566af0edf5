#!/usr/bin/env bash
# On the GPU machine, from the project's root, with .gpu/ of scripts/gpu/pack.sh beside it: unpacks what is there, and
# measures. With network there is no need of it: npm ci, npx ts-trainer install cuda, npx tsx scripts/gpu/measure.ts.
# Usage: scripts/gpu/run.sh [words of measure.ts]     GPU_HOME is where it unpacks (~/gpu)
set -euo pipefail
cd "$(dirname "$0")/../.."
home=${GPU_HOME:-$HOME/gpu}
mkdir -p "$home/bin"
if [[ ! -x $home/bin/node && -f .gpu/base/node.xz ]]; then
  xz -dc .gpu/base/node.xz >"$home/bin/node"
  chmod +x "$home/bin/node"
fi
export PATH=$home/bin:$PATH
if [[ ! -d $home/webgpu && -f .gpu/base/webgpu.tar.xz ]]; then tar xJf .gpu/base/webgpu.tar.xz -C "$home"; fi
if ! ldconfig -p | grep -q libvulkan.so.1 && compgen -G '.gpu/base/*.deb' >/dev/null; then
  for package in .gpu/base/*.deb; do dpkg -x "$package" /; done
  ldconfig
fi
if [[ ! -d $home/cuda && -f .gpu/cuda-0 ]]; then cat .gpu/cuda-? | tar xJf - -C "$home"; fi
if [[ ! -d node_modules && -f .gpu/modules-0 ]]; then cat .gpu/modules-? | tar xJf -; fi
if [[ ! -d $home/glue && -f .gpu/data.tar.xz ]]; then mkdir -p "$home/glue" && tar xJf .gpu/data.tar.xz -C "$home/glue"; fi
python=${BENCH_PYTHON:-python3}
# CUDA's libraries as PyTorch brings them
libraries=$("$python" -c "import glob, site; print(':'.join(glob.glob(site.getsitepackages()[0] + '/nvidia/*/lib')))" 2>/dev/null || true)
export LD_LIBRARY_PATH=$libraries:$home/cuda:${LD_LIBRARY_PATH:-}
if [[ -d $home/webgpu ]]; then export WEBGPU_LIBRARY=$home/webgpu ONNXRUNTIME_LIBRARY=$home/webgpu; fi
if [[ -d $home/cuda ]]; then export CUDA_LIBRARY=$home/cuda/libonnxruntime.so; fi
words=("$@")
if [[ ${#words[@]} -eq 0 && -d $home/glue ]]; then
  words=(--tests -- --shape base --task mrpc --steps 50 --rounds 3 --data "$home/glue")
fi
exec node --import tsx scripts/gpu/measure.ts "${words[@]}"

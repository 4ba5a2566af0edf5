#!/usr/bin/env bash
# Packs the project for a GPU machine without network and without Node.js, into .gpu/ (which git ignores), in pieces of
# less than 60 MB: what gpu-pack.sh packs (Node.js, ONNX Runtime with WebGPU and with CUDA), and here
#   .gpu/modules-0, -1   pieces of one tar.xz: node_modules, without what only other systems or a build need
#   .gpu/data.tar.xz     GLUE's rows, where they are
# Usage: scripts/gpu/pack.sh base | cuda | all     from the project's root, after npm ci
# There: scripts/gpu/run.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
shared=${SHARED:-../shared}
if [[ ! -x $shared/tools/gpu-pack.sh ]]; then
  echo "$shared/tools/gpu-pack.sh is not here: name its folder in SHARED." >&2
  exit 1
fi
"$shared/tools/gpu-pack.sh" "${1:-all}"
tar cf - -h --exclude=onnxruntime-node/bin --exclude=onnxruntime-web --exclude=@huggingface/transformers \
  --exclude=typescript --exclude=tokenizers --exclude='@tokenizers' --exclude=.cache --exclude='*.map' --exclude='@img' node_modules |
  xz -T0 -6 | split -b 58M -d -a 1 - .gpu/modules-
glue=$shared/hub/datasets/nyu-mll/glue
if [[ -d $glue ]]; then tar cJf .gpu/data.tar.xz -h -C "$glue" README.md mrpc; fi
du -h .gpu/* | sort -k2

#!/usr/bin/env bash
# What the kernels of the CUDA backend take of a multiprocessor, as the compiler says: the table of docs/gpu.md. Needs nvcc, no card.
# Usage: scripts/gpu_registers.sh [architecture...]     default: sm_75 sm_90
set -euo pipefail
cd "$(dirname "$0")/.."
architectures=("$@")
[ ${#architectures[@]} -gt 0 ] || architectures=(sm_75 sm_90)
nvcc=${CUDACXX:-$(command -v nvcc || true)}
if [ -z "$nvcc" ]; then
  echo "gpu_registers: nvcc is not on the PATH; set CUDACXX to it" >&2
  exit 2
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

for architecture in "${architectures[@]}"; do
  for source in src/compute/cuda/*.cu; do
    "$nvcc" -std=c++20 -O3 -fmad=false -arch="$architecture" -I include -I src -Xptxas -v -c "$source" -o "$folder/object" 2>&1 |
      c++filt | sed -n "s/^/$architecture $(basename "$source") /p"
  done
done > "$folder/log"

awk -v architectures="${architectures[*]}" '
  / entry function / {
    name = $0
    sub(/.*entry function ./, "", name)
    ours = name ~ /tuile::compute::cuda/
    sub(/^void /, "", name)
    gsub(/tuile::compute::cuda::|\(anonymous namespace\)::/, "", name)
    sub(/\(.*/, "", name)
    key = name " | " $2
  }
  ours && / bytes stack frame/ { spill[key, $1] = $7 " + " $11 }
  ours && / Used [0-9]+ registers/ {
    shared = 0
    for (i = 1; i <= NF; i++) {
      if ($i == "Used") registers = $(i + 1)
      if ($i ~ /^smem/) shared = $(i - 2)
    }
    if (!(key in seen)) { seen[key] = ++count; keys[count] = key }
    cell[key, $1] = registers ", " shared ", " spill[key, $1]
  }
  END {
    n = split(architectures, each, " ")
    printf "| kernel | file |"
    for (a = 1; a <= n; a++) printf " %s |", each[a]
    printf "\n| --- | --- |"
    for (a = 1; a <= n; a++) printf " --- |"
    printf "\n"
    for (k = 1; k <= count; k++) {
      printf "| %s |", keys[k]
      for (a = 1; a <= n; a++) printf " %s |", cell[keys[k], each[a]]
      printf "\n"
    }
  }' "$folder/log"

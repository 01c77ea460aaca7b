#!/usr/bin/env bash
# gpu_check.sh [--quick] [--no-sanitizers | --only-sanitizers] [--out FOLDER]: proves and measures the CUDA backend on this machine's card, from our sources alone: needs a CUDA
# toolkit (nvcc), CMake and a C++ compiler, none of tuile's libraries. Some 8 minutes on an H100 with 16 cores; --quick: half of that.
#
#   1. builds bench/gpu for the card at hand (build/gpu-check), unless GPU_CHECK names a gpu_check that is built already
#   2. compute-sanitizer (memcheck, racecheck, synccheck, initcheck) on small inputs, where the tool is installed: up to 150 s each
#      (SANITIZER_SECONDS); --only-sanitizers ends here, --no-sanitizers leaves them out, for machines that are lent for minutes
#   3. process from LAZ to NPZ, where TUILE names a `tuile` with the CUDA backend (TUILE=build/cuda/bin/tuile)
#   4. conformance: every bit that the CPU backend gives; then the rows of the targets
#
# Writes FOLDER/gpu-<card>.json (default bench/results) and ends with a table.
# Exit status: 0 all well, 1 conformance or a sanitizer failed, 2 wrong arguments or no build, 3 no card here.
set -euo pipefail
cd "$(dirname "$0")/.."

quick=()
out=bench/results
sanitize=yes measure=yes
while [ $# -gt 0 ]; do
  case $1 in
    --quick) quick=(--quick) ;;
    --no-sanitizers) sanitize=no ;;
    --only-sanitizers) measure=no ;;
    --out)
      [ $# -gt 1 ] || { echo "gpu_check: --out needs a folder" >&2; exit 2; }
      out=$2
      shift
      ;;
    -h | --help)
      sed -n '2,/^set /{/^#/s/^# \{0,1\}//p;}' "$0"
      exit 0
      ;;
    *)
      echo "gpu_check: unknown argument '$1'; --quick, --no-sanitizers, --only-sanitizers and --out FOLDER are known" >&2
      exit 2
      ;;
  esac
  shift
done

build=${GPU_CHECK_BUILD:-build/gpu-check}
mkdir -p "$build"
check=${GPU_CHECK:-}
if [ -z "$check" ]; then
  command -v cmake > /dev/null || { echo "gpu_check: cmake is not installed" >&2; exit 2; }
  cmake -S bench/gpu -B "$build" > "$build.log" 2>&1 && cmake --build "$build" -j "${JOBS:-$(nproc)}" >> "$build.log" 2>&1 || {
    tail -n 40 "$build.log" >&2
    echo "gpu_check: the build failed; all of it: $build.log" >&2
    exit 2
  }
  check=$build/gpu_check
fi

# Is there a card at all?
status=0
"$check" --probe || status=$?
[ "$status" -eq 0 ] || exit "$status"

found=()  # what is told to the report
failed=0

if [ "$sanitize" = no ]; then
  found+=(--left-out compute-sanitizer "--no-sanitizers was given")
elif sanitizer=$(command -v compute-sanitizer || ls /usr/local/cuda/bin/compute-sanitizer 2> /dev/null); then
  for tool in memcheck racecheck synccheck initcheck; do
    log=$build/$tool.log
    options=()
    [ "$tool" != memcheck ] || options=(--track-stream-ordered-races all)
    status=0
    timeout "${SANITIZER_SECONDS:-150}" "$sanitizer" --tool "$tool" "${options[@]}" --error-exitcode 9 \
      "$check" --only-conformance --small > "$log" 2>&1 || status=$?
    case $status in
      0) outcome=(passed "") ;;
      9) outcome=(failed "$(grep -m 1 -A 1 '^========= [A-Z]' "$log" | grep -v COMPUTE-SANITIZER | head -n 1 || true)") ;;
      124) outcome=(failed "did not end within ${SANITIZER_SECONDS:-150} s") ;;
      *)
        if grep -q 'Device not supported\|Unable to find injection\|Failed to initialize' "$log"; then
          echo "compute-sanitizer $tool: cannot run on this machine"
          found+=(--left-out "compute-sanitizer $tool" "it cannot run on this machine")
          continue
        fi
        outcome=(failed "exit status $status: $(tail -n 1 "$log")")
        ;;
    esac
    echo "compute-sanitizer $tool: ${outcome[*]}"
    [ "${outcome[0]}" = passed ] || failed=1
    found+=(--sanitizer "$tool" "${outcome[@]}")
  done
else
  echo "compute-sanitizer is not installed: not run"
  found+=(--left-out compute-sanitizer "the tool is not installed on this machine")
fi

[ "$measure" = yes ] || exit "$failed"

if [ -z "${TUILE:-}" ]; then
  found+=(--left-out gpu.end_to_end "needs TUILE=<a tuile with the CUDA backend>; gpu_check builds without the libraries that reading LAZ takes")
else
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  [ ${#quick[@]} -gt 0 ] && tiles=3x2 || tiles=8x5
  # About 2 million points a tile.
  if "$TUILE" synth -o "$folder/town" --tiles "$tiles" --size 1000 --density 1.85 --format 8 > "$folder/log" 2>&1 &&
    "$TUILE" process "$folder/town/tiles" -o "$folder/warm" --backend cuda >> "$folder/log" 2>&1 &&
    rm -rf "$folder/warm" && begin=$(date +%s.%N) &&
    "$TUILE" process "$folder/town/tiles" -o "$folder/out" --backend cuda >> "$folder/log" 2>&1; then
    end=$(date +%s.%N)
    rate=$(awk -v tiles=$((${tiles/x/ * })) -v begin="$begin" -v end="$end" 'BEGIN { print tiles * 60 / (end - begin) }')
    found+=(--row gpu.end_to_end "$rate" tiles/min 600 --row gpu.end_to_end.tiles $((${tiles/x/ * })) "" -)
  else
    tail -n 5 "$folder/log" >&2
    found+=(--left-out gpu.end_to_end "$TUILE did not work with --backend cuda")
  fi
fi

commit=$(git describe --always --dirty 2> /dev/null || echo unknown)
"$check" "${quick[@]}" --out "$out" --commit "$commit" "${found[@]}"

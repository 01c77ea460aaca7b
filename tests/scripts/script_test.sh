#!/usr/bin/env bash
# script_test.sh SCRIPT GPU_CHECK FOLDER: scripts/gpu_check.sh from beginning to end, with the program built for the fake CUDA and stand-ins
# for compute-sanitizer and tuile. What it runs says "fake" and stays in FOLDER.
set -euo pipefail
script=$1 folder=$3
export GPU_CHECK=$2 GPU_CHECK_BUILD=$folder/build
rm -rf "$folder"
mkdir -p "$folder/bin"

fail() {
  echo "script_test: $1" >&2
  exit 1
}

# One tool finds something, one does not run here, one is called with arguments that it knows.
cat > "$folder/bin/compute-sanitizer" <<'EOF'
#!/usr/bin/env bash
echo "========= COMPUTE-SANITIZER"
case "$*" in
  *"--tool racecheck"*) echo "========= Error: Race reported between Write access at 0x10"; exit 9 ;;
  *"--tool synccheck"*) echo "Device not supported"; exit 1 ;;
  *"--only-conformance --small") exit 0 ;;
esac
exit 5
EOF
printf '#!/usr/bin/env bash\nsleep 0.1\n' > "$folder/bin/tuile"
chmod +x "$folder/bin/"*
export PATH=$folder/bin:$PATH

expect_status() {
  local expected=$1 status=0
  shift
  "$@" > "$folder/log" 2>&1 || status=$?
  [ "$status" -eq "$expected" ] || { cat "$folder/log"; fail "exit status $status of '$*', expected $expected"; }
}
expect_status 2 "$script" --bogus
expect_status 0 "$script" --help
expect_status 3 env TUILE_FAKE_CUDA=driver=none "$script"
grep -q 'no CUDA device' "$folder/log" || fail "no word of why there is no device"

# The sanitizers by themselves: one found something, nothing is measured.
expect_status 1 "$script" --only-sanitizers --out "$folder/none"
[ ! -e "$folder/none" ] || fail "--only-sanitizers wrote a report"
grep -q 'compute-sanitizer racecheck: failed' "$folder/log" || fail "no word of what a sanitizer found"

# The report is written although a sanitizer failed, and the exit status says so.
TUILE=$folder/bin/tuile expect_status 1 "$script" --quick --out "$folder/results"
cat "$folder/log"
report=$folder/results/gpu-fake.json
for text in '"device": "fake"' '"name": "memcheck", "passed": true' '"name": "racecheck", "passed": false, "detail": ".*Race reported' \
  '"what": "compute-sanitizer synccheck"' '"name": "initcheck", "passed": true' '"name": "gpu.end_to_end", ' '"name": "gpu.end_to_end.tiles", "value": 6,' '"unit": "tiles/min", "target": 600' \
  '"name": "gpu.lod2_k20_resident"' '"name": "gpu.pool_reused"' '"name": "gpu.batch_of_small"' '"name": "card.copy_bandwidth"' '"quick": true'; do
  grep -q "$text" "$report" || fail "$text is not in the report"
done
if grep '"passed": false' "$report" | grep -qv racecheck; then fail "a check failed that should not"; fi
echo "script_test: passed"

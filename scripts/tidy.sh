#!/usr/bin/env bash
# tidy.sh BUILD JOBS FILE...: clang-tidy with the tree's .clang-tidy over the files, from the build's compilation database.
set -euo pipefail
build=$1
jobs=$2
shift 2

# gcc's precompiled header and its own flags mean nothing to clang.
database=$(mktemp -d)
trap 'rm -rf "$database"' EXIT
sed -e 's/-include [^ "]*cmake_pch.hxx//g' -e 's/-Winvalid-pch//g' -e 's/-fno-trapping-math//g' "$build/compile_commands.json" > "$database/compile_commands.json"
printf '%s\0' "$@" | xargs -0 -r -n 1 -P "$jobs" clang-tidy --quiet -p "$database" 2>&1 | sed '/warnings\? generated\.$/d'

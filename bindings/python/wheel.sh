#!/bin/sh
# Builds the wheel: the package, the library, and the libraries that it needs beyond glibc, as they are on this machine, with their licences.
# Called by make wheel.
#
#   bindings/python/wheel.sh PYTHON [BUILD]
#
# PYTHON has pip and hatchling. BUILD: the folder with libmuster.so.1 (default: build); the wheel is written to BUILD/wheel.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
python=$1
build=$(cd "${2:-$root/build}" && pwd)
output=$build/wheel
source=$output/source

rm -rf "$output"
mkdir -p "$source/libraries" "$source/src"
cp "$here/pyproject.toml" "$here/README.md" "$here/hatch_build.py" "$root/LICENSE" "$source/"
cp -r "$here/src/muster" "$source/src/"
rm -rf "$source/src/muster/__pycache__"
cp "$build/libmuster.so.1" "$source/libraries/"

# Under their plain names: a process that has one of them already keeps that one. See "The wheel" in README.md.
bundle() { # the name by which the library is loaded, the folder with its licence
  path=$(ldd "$build/libmuster.so.1" | sed -n "s/^[[:space:]]*$1 => \([^ ]*\) .*/\1/p")
  [ -f "$path" ] || { echo "wheel: libmuster.so.1 does not load $1" >&2; exit 1; }
  cp -L "$path" "$source/libraries/$1"
  cp -L "/usr/share/doc/$2/copyright" "$source/LICENSE.$2"
}
bundle libjansson.so.4 libjansson4
bundle libsqlite3.so.0 libsqlite3-0

"$python" -m pip --quiet --disable-pip-version-check wheel --no-deps --no-build-isolation --no-index --wheel-dir "$output" "$source"
ls "$output"/*.whl

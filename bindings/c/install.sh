#!/bin/sh
# Installs the library, the headers, the command, the manual pages and what pkg-config and CMake want to know. Called by make install.
#
#   PREFIX=/usr/local DESTDIR= LIBDIR=$PREFIX/lib INCLUDEDIR=$PREFIX/include bindings/c/install.sh [BUILD]
#
# BUILD: the folder with libmuster.so.1 and, if the command is wanted, muster (default: build).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=${1:-$root/build}
prefix=${PREFIX:-/usr/local}
libdir=${LIBDIR:-$prefix/lib}
includedir=${INCLUDEDIR:-$prefix/include}
destination=${DESTDIR:-}
header=$root/include/muster.h
version=$(sed -n 's/^#define MUSTER_VERSION "\(.*\)"$/\1/p' "$header")
abi=$(sed -n 's/^#define MUSTER_ABI_VERSION \([0-9]*\)$/\1/p' "$header")
case $prefix$libdir$includedir in *[!A-Za-z0-9/._+-]*) echo "install: blanks and signs are not possible in the folders" >&2; exit 2 ;; esac

fill() {
  sed -e "s|@PREFIX@|$prefix|g" -e "s|@LIBDIR@|$libdir|g" -e "s|@INCLUDEDIR@|$includedir|g" -e "s|@VERSION@|$version|g" \
    -e "s|@VERSION_SERIES@|${version%.*}|g" -e "s|@ABI@|$abi|g" \
    -e "s|@INCLUDE_FROM_LIB@|$(realpath -m --relative-to="$libdir" "$includedir")|g" "$1" >"$2"
  chmod 644 "$2"
}

install -d "$destination$libdir/pkgconfig" "$destination$libdir/cmake/muster" "$destination$includedir" \
  "$destination$prefix/share/man/man1" "$destination$prefix/share/man/man3"
install -m 755 "$build/libmuster.so.$abi" "$destination$libdir/libmuster.so.$abi"
ln -sf "libmuster.so.$abi" "$destination$libdir/libmuster.so"
install -m 644 "$header" "$root/include/muster_jansson.h" "$destination$includedir/"
fill "$here/muster.pc.in" "$destination$libdir/pkgconfig/muster.pc"
fill "$here/cmake/muster-config.cmake.in" "$destination$libdir/cmake/muster/muster-config.cmake"
fill "$here/cmake/muster-config-version.cmake.in" "$destination$libdir/cmake/muster/muster-config-version.cmake"
fill "$here/man/libmuster.3" "$destination$prefix/share/man/man3/libmuster.3"
if [ -e "$build/muster" ]; then
  install -d "$destination$prefix/bin"
  install -m 755 "$build/muster" "$destination$prefix/bin/muster"
  fill "$here/man/muster.1" "$destination$prefix/share/man/man1/muster.1"
  complete() {
    install -d "$destination$prefix/share/$2"
    "$build/muster" completions "$1" >"$destination$prefix/share/$2/$3"
    chmod 644 "$destination$prefix/share/$2/$3"
  }
  complete bash bash-completion/completions muster
  complete zsh zsh/site-functions _muster
  complete fish fish/vendor_completions.d muster.fish
fi

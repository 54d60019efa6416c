#!/bin/sh
# Installs into an empty folder and uses what is there as a stranger would: the examples are built with pkg-config and with CMake, and run;
# the command runs; the manual pages are well-formed. Prints "N passed, M failed".
#
#   Tests/install/run.sh [BUILD]     BUILD: the folder with the library and the command (default: build)
#
# Needs gcc, jansson, pkg-config, CMake and man. CI installs cmake, man-db, groff-base.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/Tests/harness.sh"
build=${1:-$root/build}
prefix=/opt/muster
stage=$scratch/stage

# list_agents makes two agents in an empty store: a table of three lines.
runs() {
  LD_LIBRARY_PATH=$stage$prefix/lib "$1" "$scratch/$2.db" >"$scratch/table" && [ "$(wc -l <"$scratch/table")" -eq 3 ]
}

for tool in gcc pkg-config cmake man; do
  command -v "$tool" >/dev/null || { echo "Tests/install/run.sh: $tool is missing" >&2; exit 2; }
done

PREFIX=$prefix DESTDIR=$stage "$root/bindings/c/install.sh" "$build"
note $? "install.sh"
(cd "$stage" && find . -type f -o -type l) | sort >"$scratch/files"
diff - "$scratch/files" <<END >&2
.$prefix/bin/muster
.$prefix/include/muster.h
.$prefix/include/muster_jansson.h
.$prefix/lib/cmake/muster/muster-config-version.cmake
.$prefix/lib/cmake/muster/muster-config.cmake
.$prefix/lib/libmuster.so
.$prefix/lib/libmuster.so.1
.$prefix/lib/pkgconfig/muster.pc
.$prefix/share/bash-completion/completions/muster
.$prefix/share/fish/vendor_completions.d/muster.fish
.$prefix/share/man/man1/muster.1
.$prefix/share/man/man3/libmuster.3
.$prefix/share/zsh/site-functions/_muster
END
note $? "these files are installed and no others"
! grep -rl '@[A-Z_]*@' "$stage$prefix/lib/pkgconfig" "$stage$prefix/lib/cmake" "$stage$prefix/share" >&2
note $? "no place is left unfilled"
! grep -rl "$scratch" "$stage$prefix/lib/pkgconfig" "$stage$prefix/lib/cmake" >&2
note $? "DESTDIR is in no file"
readelf -d "$stage$prefix/lib/libmuster.so.1" | grep -q 'SONAME.*\[libmuster\.so\.1\]'
note $? "the library's soname is its name"

# pkg-config
PKG_CONFIG_PATH=$stage$prefix/lib/pkgconfig
PKG_CONFIG_SYSROOT_DIR=$stage
export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR
header=$(sed -n 's/^#define MUSTER_VERSION "\(.*\)"$/\1/p' "$root/include/muster.h")
[ "$(pkg-config --modversion muster)" = "$header" ]
note $? "pkg-config knows the version"
for name in list_agents invoke_agent invoke_jansson; do
  # shellcheck disable=SC2046
  gcc -std=c99 -Wall -Wextra -Werror "$root/bindings/c/examples/$name.c" $(pkg-config --cflags --libs muster) -ljansson -o "$scratch/$name"
  note $? "$name.c with pkg-config"
done
runs "$scratch/list_agents" pkgconfig
note $? "list_agents built with pkg-config runs"
unset PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR

# CMake
cmake -S "$root/Tests/install" -B "$scratch/cmake" -DCMAKE_PREFIX_PATH="$stage$prefix" -DEXAMPLES="$root/bindings/c/examples" \
  -DCMAKE_C_COMPILER=gcc >"$scratch/log" 2>&1 && cmake --build "$scratch/cmake" >>"$scratch/log" 2>&1
code=$?
[ $code -eq 0 ] || cat "$scratch/log" >&2
note $code "the examples with CMake"
runs "$scratch/cmake/list_agents" cmake
note $? "list_agents built with CMake runs"
mkdir "$scratch/newer"
sed 's/find_package(muster 0.1 REQUIRED)/find_package(muster 99 REQUIRED)/' "$root/Tests/install/CMakeLists.txt" >"$scratch/newer/CMakeLists.txt"
! cmake -S "$scratch/newer" -B "$scratch/newer/build" -DCMAKE_PREFIX_PATH="$stage$prefix" -DEXAMPLES="$root/bindings/c/examples" >/dev/null 2>&1
note $? "CMake refuses a version that is not installed"

# The command finds the library beside its own folder.
"$stage$prefix/bin/muster" --version >"$scratch/version" && grep -q "$header" "$scratch/version"
note $? "the command runs where it is installed"

for page in man1/muster.1 man3/libmuster.3; do
  LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -l "$stage$prefix/share/man/$page" >"$scratch/page" 2>"$scratch/warnings" && [ -s "$scratch/page" ] &&
    [ ! -s "$scratch/warnings" ]
  code=$?
  cat "$scratch/warnings" >&2
  note $code "$page is rendered without a warning"
done
# The manual page shows the options that the command has.
# So do the completions, which are made from the same table.
sed -n "/^complete /s/.* -l \([a-z-]*\).*/--\1/p" "$stage$prefix/share/fish/vendor_completions.d/muster.fish" | sort -u >"$scratch/options"
while read -r option; do
  grep -q -- "Fl -${option#--}" "$stage$prefix/share/man/man1/muster.1" || echo "$option is not in muster.1"
done <"$scratch/options" >"$scratch/missing"
cat "$scratch/missing" >&2
[ -s "$scratch/options" ] && [ ! -s "$scratch/missing" ]
note $? "muster.1 names every option"

finish

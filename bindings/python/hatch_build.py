"""Builds the wheel when `wheel.sh` has put shared libraries beside this file: they go into the package, and the wheel
gets the platform tag that they ask for. Without them, `pip install` from a checkout gives the package alone, and the
library is looked for where the system's loader looks."""

from __future__ import annotations

import re
import subprocess
import sysconfig
from pathlib import Path
from typing import Any, Dict, List, Tuple

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# What glibc brings, and every machine that the tag admits therefore has. Anything else has to be in the wheel.
GLIBC = re.compile(r"(libc|libm|libdl|libpthread|librt|ld-linux[^.]*)\.so\.\d+")


class LibraryHook(BuildHookInterface[Any]):
    """Adds the shared libraries and the tag."""

    def initialize(self, version: str, build_data: Dict[str, Any]) -> None:
        libraries = sorted(Path(self.root, "libraries").glob("*.so.*"))
        if not libraries:
            return
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform_tag(libraries)}"
        build_data["force_include"] = {str(library): f"muster/{library.name}" for library in libraries}


def platform_tag(libraries: List[Path]) -> str:
    """``manylinux_X_Y_machine``, where X.Y is the newest glibc that one of the libraries asks for."""
    bundled = {library.name for library in libraries}
    newest = (0, 0)
    for library in libraries:
        needed, runpath, glibc = dynamic_section(library)
        missing = [name for name in needed if name not in bundled and not GLIBC.fullmatch(name)]
        if missing:
            raise RuntimeError(f"{library.name} needs {', '.join(missing)}, which is not in the wheel")
        if bundled.intersection(needed) and "$ORIGIN" not in runpath:
            raise RuntimeError(f"{library.name} would not find its neighbours: $ORIGIN is not in its run path")
        newest = max(newest, glibc)
    machine = sysconfig.get_platform().split("-", 1)[1].replace("-", "_")
    return f"manylinux_{newest[0]}_{newest[1]}_{machine}"


def dynamic_section(library: Path) -> Tuple[List[str], List[str], Tuple[int, int]]:
    """The libraries that this one needs, where it looks for them, and the newest glibc whose symbols it uses."""
    text = subprocess.run(["objdump", "-p", str(library)], check=True, capture_output=True, text=True).stdout
    needed = re.findall(r"^ +NEEDED +(\S+)$", text, re.MULTILINE)
    runpath = [folder for found in re.findall(r"^ +RUNPATH +(\S+)$", text, re.MULTILINE) for folder in found.split(":")]
    newest = (0, 0)
    for symbol in re.findall(r"^ +0x\S+ 0x\S+ \d+ GLIBC_(\S+)$", text, re.MULTILINE):
        numbers = re.fullmatch(r"(\d+)\.(\d+)(\.\d+)*", symbol)
        if numbers is None:
            raise RuntimeError(f"{library.name} asks for GLIBC_{symbol}, which says nothing about a version")
        newest = max(newest, (int(numbers[1]), int(numbers[2])))
    return needed, runpath, newest

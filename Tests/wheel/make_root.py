"""Copies the running interpreter into an empty folder that then serves as the root of a file system.

    python make_root.py FOLDER           the interpreter, its standard library, and the libraries of both; nothing more
    python make_root.py FOLDER LIBRARY…  adds these libraries, and what they need, to such a folder

libsqlite3 and libjansson are left out whatever asks for them: the folder is a machine where neither is installed.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Iterable, Set

LEFT_OUT = ("libsqlite3", "libjansson")


def place(root: Path, path: Path) -> Path:
    return root / path.relative_to("/")


def copy(root: Path, path: Path) -> None:
    """A file that several names lead to is copied under each; folders on the way are made."""
    target = place(root, path)
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)


def needed(files: Iterable[Path]) -> Set[Path]:
    """The absolute paths that the loader finds for the files, apart from those that are left out."""
    found: Set[Path] = set()
    for file in files:
        lines = subprocess.run(["ldd", str(file)], capture_output=True, text=True).stdout.splitlines()
        words = (word for line in lines for word in line.split() if word.startswith("/"))
        found.update(Path(word) for word in words if not Path(word).name.startswith(LEFT_OUT))
    return found


def main(root: Path, libraries: Iterable[Path]) -> None:
    added = set(libraries)
    if not added:
        root.mkdir()
        for name in ("bin", "lib", "lib64"):  # as the machine has them: links into /usr, or folders
            if os.path.islink(f"/{name}"):
                place(root, Path("/") / os.readlink(f"/{name}").lstrip("/")).mkdir(parents=True, exist_ok=True)
                (root / name).symlink_to(os.readlink(f"/{name}").lstrip("/"))
        (root / "tmp").mkdir()
        program = Path(getattr(sys, "_base_executable", sys.executable))
        library = Path(sysconfig.get_path("stdlib"))
        left = shutil.ignore_patterns("test", "site-packages", "dist-packages", "config-*", "__pycache__", "*.a")
        shutil.copytree(library, place(root, library), ignore=left, ignore_dangling_symlinks=True)
        # /usr/bin/python3 may be a link: the name that the environment asks for has to be there too.
        added = {program, program.resolve(), *(library / "lib-dynload").glob("*.so")}
    for path in added | needed(added):
        copy(root, path)


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])

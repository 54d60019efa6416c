"""Which shared libraries this process has loaded, by the loader's own list: there may be no /proc."""

import ctypes
from typing import List


class _Information(ctypes.Structure):
    _fields_ = [("address", ctypes.c_void_p), ("name", ctypes.c_char_p)]  # the head of struct dl_phdr_info


_Visitor = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Information), ctypes.c_size_t, ctypes.c_void_p)


def loaded(part: str) -> List[str]:
    """The paths with `part` in their last name."""
    paths: List[str] = []

    @_Visitor
    def visit(information, _size, _data):  # type: ignore[no-untyped-def]
        paths.append((information.contents.name or b"").decode())
        return 0

    ctypes.CDLL(None).dl_iterate_phdr(visit, None)
    return [path for path in paths if part in path.rpartition("/")[2]]

"""Reads what a docstring says of a function and its parameters, in the styles of Google, NumPy and Sphinx."""

from __future__ import annotations

import inspect
import re
from typing import Dict, List, NamedTuple, Optional, Tuple

# "Args:" of Google's style, alone on its line.
_GOOGLE = re.compile(r"(Args|Arguments|Parameters|Params|Keyword Args|Keyword Arguments|Other Parameters|Attributes):$")
# "Parameters" of NumPy's style, over a line of dashes.
_NUMPY = re.compile(r"(Parameters|Other Parameters|Attributes)$")
_DASHES = re.compile(r"-{3,}$")
# Whatever else such styles have below the description: it ends what is above.
_OTHER = re.compile(
    r"(Returns?|Yields?|Raises?|Examples?|Notes?|Warnings?|Warns|See Also|References|Todo|Methods|Receives):?$"
)
# ":param city: Its name." and ":param str city: Its name." of Sphinx's.
_SPHINX = re.compile(r":(?:param|parameter|arg|argument|key|keyword|ivar)\s+(?:[^:]*\s)?\**(\w+)\s*:\s*(.*)$")
_FIELD = re.compile(r":\w+[^:]*:")
# "city (str): Its name." of Google's, "city : str" of NumPy's.
_GOOGLE_ITEM = re.compile(r"\**(\w+)\s*(?:\(.*?\))?\s*:(?:\s+(.*))?$")
_NUMPY_ITEM = re.compile(r"(\**\w+(?:\s*,\s*\**\w+)*)\s*(?::.*)?$")


class Docstring(NamedTuple):
    """What is of use of a docstring."""

    description: str
    """Its first paragraph, as one line."""
    parameters: Dict[str, str]
    """What it says of parameters, by their names."""


def parse(text: Optional[str]) -> Docstring:
    """Reads a docstring. What is written in no known style is passed over."""
    lines = inspect.cleandoc(text or "").splitlines()
    found: Dict[str, str] = {}
    found.update(_sphinx(lines))
    found.update(_google(lines))
    found.update(_numpy(lines))
    return Docstring(_description(lines), {name: about for name, about in found.items() if about})


def _description(lines: List[str]) -> str:
    """The first paragraph, if it is not a section already."""
    taken: List[str] = []
    for index, line in enumerate(lines):
        is_over = not line.strip() or _FIELD.match(line) or _GOOGLE.match(line) or _is_underlined(lines, index)
        if is_over or (_OTHER.match(line) and line.endswith(":")):
            break
        taken.append(line.strip())
    return " ".join(taken)


def _is_underlined(lines: List[str], index: int) -> bool:
    return index + 1 < len(lines) and bool(lines[index].strip()) and bool(_DASHES.match(lines[index + 1].strip()))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _sphinx(lines: List[str]) -> Dict[str, str]:
    """``:param name: …``, up to the next field or an empty line."""
    found: Dict[str, str] = {}
    name = None
    for line in lines:
        field = _SPHINX.match(line.strip())
        if field:
            name = field[1]
            found[name] = field[2].strip()
        elif not line.strip() or _FIELD.match(line.strip()):
            name = None
        elif name is not None:
            found[name] = f"{found[name]} {line.strip()}".strip()
    return found


def _google(lines: List[str]) -> Dict[str, str]:
    """The indented items below ``Args:``."""
    found: Dict[str, str] = {}
    for index, line in enumerate(lines):
        if _GOOGLE.match(line):
            found.update(_items(_block(lines[index + 1 :], 1), is_numpy=False))
    return found


def _numpy(lines: List[str]) -> Dict[str, str]:
    """The items below ``Parameters`` and its dashes, up to the next section."""
    found: Dict[str, str] = {}
    for index, line in enumerate(lines):
        if _NUMPY.match(line) and _is_underlined(lines, index):
            rest = lines[index + 2 :]
            ends = [end for end in range(len(rest)) if _is_underlined(rest, end) and not _indent(rest[end])]
            found.update(_items(rest[: ends[0]] if ends else rest, is_numpy=True))
    return found


def _block(lines: List[str], least: int) -> List[str]:
    """The lines that are indented by so much at least; empty ones between them belong to it."""
    taken: List[str] = []
    for line in lines:
        if line.strip() and _indent(line) < least:
            break
        taken.append(line)
    return taken


def _items(lines: List[str], is_numpy: bool) -> Dict[str, str]:
    """The items of a section: their heads stand at the least indentation, what is below belongs to them."""
    found: Dict[str, str] = {}
    filled = [line for line in lines if line.strip()]
    if not filled:
        return found
    margin = min(map(_indent, filled))
    names: Tuple[str, ...] = ()
    for line in filled:
        text = line.strip()
        if _indent(line) > margin:
            for name in names:
                found[name] = f"{found[name]} {text}".strip()
            continue
        names = ()
        head = (_NUMPY_ITEM if is_numpy else _GOOGLE_ITEM).match(text)
        if head:
            names = tuple(name.strip().lstrip("*") for name in head[1].split(","))
            found.update({name: "" if is_numpy else (head[2] or "").strip() for name in names})
    return found

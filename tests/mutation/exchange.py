"""Changes functions of modules that are imported already, wherever they are held by now.

The function objects stay, and get the code of the changed source: so decorators, tables and
`from … import` that hold them see the change, as long as nothing has called them before.
"""

import gc
from collections import defaultdict
from types import CodeType, FunctionType
from typing import Any

Functions = dict[tuple[str, str], list[FunctionType]]


def functions_below(folder: str) -> Functions:
    """All functions of files below a folder, by file and qualified name."""
    found: Functions = defaultdict(list)
    for thing in gc.get_objects():
        if type(thing) is FunctionType and thing.__code__.co_filename.startswith(folder):
            found[thing.__code__.co_filename, thing.__code__.co_qualname].append(thing)
    return found


def exchange(file: str, source: str, where: str, functions: Functions) -> bool:
    """Give the functions that `where` names the code of the source; False if it can't be done."""
    code = compile(source, file, "exec", dont_inherit=True)
    changed: dict[str, list[CodeType]] = defaultdict(list)
    for part in _codes(code):
        changed[part.co_qualname.replace(".<locals>", "")].append(part)
    if len(changed[where]) != 1:
        return False  # a property's getter and setter bear the same name
    outermost = _outermost(changed[where][0].co_qualname)
    done = False
    for part in _codes(code):
        if part.co_qualname == outermost or part.co_qualname.startswith(f"{outermost}.<locals>."):
            for function in functions.get((file, part.co_qualname), ()):
                if len(part.co_freevars) != len(function.__code__.co_freevars):
                    return False
                function.__code__ = part
                done = True
    return done


def _outermost(name: str) -> str:
    return name.partition(".<locals>")[0]


def _codes(code: CodeType) -> list[CodeType]:
    inner: list[Any] = [part for part in code.co_consts if isinstance(part, CodeType)]
    return [found for part in inner for found in (part, *_codes(part))]

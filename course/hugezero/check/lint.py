"""What code does that a kernel function cannot do, told from the code alone, in the student's words.

It is advice for messages, and never a verdict: most of it can be done harmlessly.
"""

from __future__ import annotations

import dis
import inspect
import itertools
import types
from collections import deque
from collections.abc import Iterator
from typing import Any

from ..store import Handle, View

MODULES = frozenset({
    "asyncio", "concurrent", "ctypes", "datetime", "faulthandler", "gc", "inspect", "io",
    "multiprocessing", "numpy", "os", "pathlib", "queue", "random", "secrets", "select", "shelve",
    "signal", "socket", "sqlite3", "subprocess", "sys", "tempfile", "threading", "time", "traceback",
    "uuid", "weakref",
})  # fmt: skip
CALLS = {
    "open": "it opens a file", "input": "it waits for input()", "breakpoint": "it waits in breakpoint()",
    "id": "it asks for id()", "hash": "it asks for hash()", "globals": "it uses globals()", "vars": "it uses vars()",
    "locals": "it uses locals()", "exec": "it uses exec()", "eval": "it uses eval()", "__import__": "it uses __import__()",
    "BaseException": "it catches every exception", "KeyboardInterrupt": "it catches KeyboardInterrupt",
}  # fmt: skip
ORDINARY = frozenset({
    "ArithmeticError", "AssertionError", "AttributeError", "IndexError", "KeyError", "LookupError",
    "MemoryError", "NameError", "NotImplementedError", "RecursionError", "TypeError",
    "UnboundLocalError", "ValueError", "ZeroDivisionError",
})  # fmt: skip
FRAMES = frozenset({
    "f_back", "f_trace", "f_globals", "f_locals", "f_builtins", "tb_frame", "gi_frame", "cr_frame",
    "__traceback__",
})  # fmt: skip
KEEPS = (list, dict, set, bytearray, deque, Iterator)
HARMLESS = frozenset({"stdout", "stderr", "maxsize", "path", "environ"})
FUNCTIONS = 20  # helpers that are looked at
MOST = 3  # habits that one message names


def in_words(thing: object) -> str:
    """What *thing* does that may be the reason for something odd; nothing if nothing is seen."""
    return ", and ".join(habits(thing)[:MOST])


def told(message: str, words: str) -> str:
    """*message*, and behind it the habits in *words*, if there are any."""
    if not words:
        return message
    return f"{message}{'' if message.endswith(('.', '?', '!')) else '.'} Look: {words}"


def odd(kind: str, text: str, words: str) -> str:
    """What an exception says; and behind it the habits, if it is none that ordinary mistakes raise."""
    return text if kind in ORDINARY or not words else told(text or "no more was said", words)


def namespace(thing: object) -> dict[str, Any] | None:
    """The globals of *thing*."""
    functions = _functions(thing)
    return functions[0].__globals__ if functions else None


def habits(thing: object) -> list[str]:
    """Each of those things that the function *thing* does, or a helper that it calls, or code inside it."""
    try:
        return list(dict.fromkeys(_function(thing)))
    except Exception:  # what cannot be looked at has no habits that could be told
        return []


def guards(thing: object) -> bool:
    """Does *thing* handle exceptions, or a helper that it calls? It may then not be stoppable by one."""
    try:
        codes = [code for one in _functions(thing) for code in _codes(one.__code__)]
        return any(i.opname == "PUSH_EXC_INFO" for code in codes for i in dis.get_instructions(code))
    except Exception:
        return True


def files(thing: object) -> frozenset[str]:
    """Where the code of *thing* stands, and that of its helpers: a notebook has a file for each cell."""
    try:
        return frozenset(one.__code__.co_filename for one in _functions(thing))
    except Exception:
        return frozenset()


def _functions(thing: object) -> list[types.FunctionType]:
    """*thing*, and the helpers of the same namespace that it may call."""
    found: list[types.FunctionType] = []
    todo = [thing]
    while todo and len(found) < FUNCTIONS:
        one: Any = todo.pop(0)
        one = getattr(one, "__wrapped__", getattr(one, "func", one))
        one = getattr(one, "__func__", one)
        if not isinstance(one, types.FunctionType):
            call = getattr(type(one), "__call__", None)  # noqa: B004
            if not isinstance(call, types.FunctionType):
                continue
            one = call
        if one in found or (found and one.__globals__ is not found[0].__globals__):
            continue
        found.append(one)
        for code in _codes(one.__code__):
            for name in code.co_names:
                value = one.__globals__.get(name)
                if inspect.isclass(value) and value.__module__ == one.__module__:
                    todo += [part for part in vars(value).values() if isinstance(part, types.FunctionType)]
                elif value is not None and not isinstance(value, (Handle, View)):
                    todo.append(value)
    return found


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    """*code*, and all code that is written inside it."""
    yield code
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            yield from _codes(const)


def _function(thing: Any) -> Iterator[str]:
    if hasattr(thing, "cache_info"):
        yield "it keeps its results in a cache"
    for function in _functions(thing):
        yield from _kept(function)
        for code in _codes(function.__code__):
            yield from _code(code, function)


def _kept(function: types.FunctionType) -> Iterator[str]:
    """What *function* can keep between calls, outside of globals."""
    with_defaults = function.__code__.co_varnames[: function.__code__.co_argcount]
    defaults = function.__defaults__ or ()
    named = dict(zip(with_defaults[len(with_defaults) - len(defaults) :], defaults, strict=False))
    for name, value in {**named, **(function.__kwdefaults__ or {})}.items():
        if _keeps(value):
            yield f"it keeps something in the default argument {name}"
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
        try:
            kept = _keeps(cell.cell_contents)
        except ValueError:
            continue
        if kept:
            yield f"it keeps something in {name}, a variable of the function around it"


def _keeps(value: object) -> bool:
    """Is *value* something that can be changed, and is no part of the machine?"""
    if isinstance(value, KEEPS):
        return True
    if isinstance(value, (Handle, View, type, types.ModuleType, types.FunctionType, BaseException)):
        return False
    return type(value).__module__ not in ("builtins", "functools") and hasattr(value, "__dict__")


def _code(code: types.CodeType, function: types.FunctionType) -> Iterator[str]:
    """What one piece of code does."""
    names, own = function.__globals__, set(function.__code__.co_freevars)
    if code.co_flags & (inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR):
        yield f"{code.co_name} is async"
    elif code.co_flags & inspect.CO_GENERATOR and not code.co_name.startswith("<"):
        yield f"there is a yield in {code.co_name}"
    instructions = [i for i in dis.get_instructions(code) if i.opname not in ("CACHE", "NOP", "PRECALL")]
    before = ""
    for here, after in itertools.zip_longest(instructions, instructions[1:]):
        name, then = here.argval, after.opname if after is not None else ""
        if here.opname in ("STORE_GLOBAL", "DELETE_GLOBAL"):
            yield f"it keeps something in the global {name}"
        elif here.opname == "STORE_DEREF" and name in own:
            yield f"it keeps something in {name}, a variable of the function around it"
        elif here.opname == "PUSH_EXC_INFO" and then == "POP_TOP":
            yield "it catches every exception"
        elif here.opname == "IMPORT_NAME" and name.partition(".")[0] in MODULES:
            yield f"it uses {name}"
        elif here.opname in ("LOAD_ATTR", "LOAD_METHOD") and name in FRAMES:
            yield "it walks frames"
        elif here.opname == "STORE_ATTR":
            yield from _attribute(name, before, code, names)
        elif here.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            attribute = after.argval if then in ("LOAD_ATTR", "LOAD_METHOD") else ""
            yield from _global(name, attribute, names)
        before = name if here.opname == "LOAD_GLOBAL" else ""


def _attribute(name: str, before: str, code: types.CodeType, names: dict[str, Any]) -> Iterator[str]:
    """An attribute is set: on one of the functions or classes of the notebook?"""
    for owner in code.co_names:
        value = names.get(owner)
        if not isinstance(value, (type, types.FunctionType)):
            continue
        if isinstance(value, type) and issubclass(value, (Handle, View)):
            continue
        if owner == before or name in vars(value):
            yield f"it keeps something in {owner}.{name}"


def _global(name: str, attribute: str, names: dict[str, Any]) -> Iterator[str]:
    """A name that is no local one is looked up."""
    if name not in names:
        if name in CALLS:
            yield CALLS[name]
        return
    value = names[name]
    if isinstance(value, types.ModuleType):
        if value.__name__.partition(".")[0] in MODULES and attribute not in HARMLESS:
            yield f"it uses {value.__name__}{'.' * bool(attribute)}{attribute}"
    elif _keeps(value):
        yield f"it keeps something in the global {name}"
    elif _from(value) in MODULES:
        yield f"it uses {name} of {_from(value)}"


def _from(value: object) -> str:
    """The module that *value* is from."""
    home = getattr(value, "__module__", None) or type(getattr(value, "__self__", None)).__module__
    return str(home).lstrip("_").partition(".")[0]

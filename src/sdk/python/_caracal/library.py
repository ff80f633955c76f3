"""Callables and values in Python's and the engine's own modules, which are the same in every load."""

import sys
from types import BuiltinFunctionType, FunctionType, ModuleType

from _caracal.owners import stored_globals
from _caracal.parts import Items, is_own_class

_CALLED = (FunctionType, BuiltinFunctionType, type)
_METHODS = (FunctionType, BuiltinFunctionType, classmethod, staticmethod, property)
_VALUES = (str, bytes, int, float, bool, tuple, frozenset)
_learned = set()
# (label, module or class, its dict, names, values): what can be called in Python's and the engine's own modules and classes.
library = []
# The same: public constants of Python's modules.
constants = []
# The same of the engine's modules: all names that no code of theirs gives another value.
engine = []
# Lists, dicts and sets of both.
held = []

# These reach out of the sandbox, or below Python (`close.py` takes them away): nothing here may reference them.
CLOSED = frozenset("_ctypes _posixsubprocess _pyodide _pyodide_core _remote_debugging ctypes js pyodide pyodide_js".split()).union(
    # Python's tests of itself: other interpreters, memory, code from bytes.
    name for name in sys.builtin_module_names if name.startswith(("_test", "_xx", "xx"))
)

# Their lists are lists of what has happened.
_RECORDING = frozenset("__main__ atexit copyreg encodings gc importlib linecache mimetypes signal sys threading warnings".split())
_MAX_LIBRARY_ITEMS = 300


def learn_library(later=()):
    """
    Modules that have been imported since the last time. The first time is before the snapshot, and `later` are modules that the
    child has yet to change.
    """
    for label, module in list(sys.modules.items()):
        root = label.partition(".")[0]
        if label in _learned or label in later or root in CLOSED or not isinstance(module, ModuleType):
            continue
        _learned.add(label)
        mapping = vars(module)
        own = stored_globals(mapping)
        is_plain = root in sys.stdlib_module_names and root not in _RECORDING and root[:1] != "_"
        names = [name for name, value in mapping.items() if isinstance(value, _CALLED) and name not in own]
        library.append((label, module, mapping, names, [mapping[name] for name in names]))
        if is_plain:
            plain = [name for name, value in mapping.items() if name not in own and _is_constant(name, value)]
            constants.append((label, module, mapping, plain, [mapping[name] for name in plain]))
        for name in names:
            kind = mapping[name]
            if is_own_class(kind, label):
                members = [key for key, value in kind.__dict__.items() if isinstance(value, _METHODS)]
                library.append((f"{label}.{name}", kind, kind.__dict__, members, [kind.__dict__[key] for key in members]))
        if is_plain:
            for name, value in mapping.items():
                if name not in own and type(name) is str and name[:1] != "_" and type(value) in (list, dict, set) and len(value) < _MAX_LIBRARY_ITEMS:
                    held.append(Items(label, name, value, _never))


def _is_constant(name, value):
    return type(name) is str and name[:1] != "_" and type(value) in _VALUES


def _never():
    return False


# Names that the engine writes to as it works, or that are not its own.
_WRITTEN = frozenset(
    "_callbacks _filters _known _learned _shapes __annotations__ __builtins__ __conditional_annotations__ __loader__ __package__ "
    "__path__ __spec__ constants engine engine_lookup engine_times held is_careful library mark stopped".split()
)


def learn_engine():
    """Before the engine's modules are taken out of sight."""
    for label, module in list(sys.modules.items()):
        if label.partition(".")[0] not in ("_caracal", "panther_core"):
            continue
        mapping = vars(module)
        own = stored_globals(mapping) | _WRITTEN
        names = [name for name in mapping if name not in own]
        engine.append((label, module, mapping, names, [mapping[name] for name in names]))
        for name in names:
            if type(mapping[name]) in (list, dict, set):
                held.append(Items(label, name, mapping[name], _never))

"""Imports of the modules that come with the engine, from source text held in memory (there are no files)."""

import builtins
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec

# Dotted module name -> (is it a package, file name for messages, source text).
SOURCES = {}

# Helper -> its code, compiled once for all children.
HELPER_CODE = {}

# The engine's own: a rule that changes `builtins` must not change what the engine does.
_BUILTINS = dict(vars(builtins))


class ShippedFinder(MetaPathFinder):
    """Finds shipped modules that are not helpers (those live in a root's own view, see loader)."""

    def find_spec(self, fullname, path=None, target=None):
        found = SOURCES.get(fullname)
        if found is None:
            return None
        return ModuleSpec(fullname, self, origin=found[1], is_package=found[0])

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        _package, file, source = SOURCES[module.__name__]
        module.__dict__["__builtins__"] = _BUILTINS
        exec(compile(source, file, "exec"), module.__dict__)


def add(path, source):
    """Registers `panther_core/immutable.py` as module `panther_core.immutable`."""
    parts = path.removesuffix(".py").split("/")
    package = parts[-1] == "__init__"
    if package:
        parts.pop()
    SOURCES[".".join(parts)] = (package, path, source)


def helper_sources():
    """Name -> source of the shipped modules that rules import as helpers."""
    return {name: source for name, (package, _file, source) in SOURCES.items() if name.startswith("panther_") and "." not in name and not package}


def compile_helper(name):
    _package, file, source = SOURCES[name]
    HELPER_CODE[file, source] = compile(source, file, "exec")


def install():
    sys.meta_path.append(ShippedFinder())

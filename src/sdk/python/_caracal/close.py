"""Takes away what reaches out of the interpreter. The host side is sealed as well: this is the nearer of two walls."""

import _imp
import gc
import os
import sys
from importlib.abc import MetaPathFinder

from _caracal import shipped
from _caracal.library import CLOSED, learn_engine, learn_library


_is_hidden = False


class _Refuse(MetaPathFinder):
    def find_spec(self, fullname, path=None, target=None):
        root = fullname.partition(".")[0]
        if root in CLOSED:
            raise ImportError(f"'{fullname}' is closed to rules: it reaches out of the sandbox", name=fullname)
        if root == "_caracal" and _is_hidden:
            raise ImportError(f"'{fullname}' is closed to rules: it is the engine's own", name=fullname)
        return None


def _is_pyodides(finder):
    kind = finder if isinstance(finder, type) else type(finder)
    return kind.__module__.startswith(("_pyodide", "pyodide"))


# Functions of `_imp` that create modules, or decide which may be created. No module of the sandbox comes from a library.
_MAKERS = (
    *("create_builtin", "exec_builtin", "create_dynamic", "exec_dynamic"),
    *("_override_frozen_modules_for_tests", "_override_multi_interp_extensions_check"),
)


def _close_builtins():
    """
    The finder above can be taken away; these are what every finder of compiled modules ends at. All others have been
    imported before (`bootstrap.py`), so nothing needs to hold the function that could make the closed ones.
    """
    is_builtin = _imp.is_builtin

    def guarded_is_builtin(name):
        return 0 if name in CLOSED else is_builtin(name)

    def refuse(spec, *_):
        name = getattr(spec, "name", spec)
        raise ImportError(f"'{name}' is closed to rules: it reaches out of the sandbox")

    def unfreeze():
        raise RuntimeError("closed to rules: it would show the objects that the engine keeps apart")

    _imp.is_builtin = guarded_is_builtin
    for name in _MAKERS:
        setattr(_imp, name, refuse)
    gc.unfreeze = unfreeze


def hide():
    """Called before rules are loaded: hides the engine's own modules from them."""
    global _is_hidden
    _is_hidden = True
    for table in (sys.modules, shipped.SOURCES):
        for name in [name for name in table if name.partition(".")[0] == "_caracal"]:
            del table[name]


def install():
    _close_builtins()
    # Emscripten puts a path of the host there.
    os.environ.pop("_", None)
    # The main module's names are a way back to what is closed here.
    main = vars(sys.modules["__main__"])
    for name in [name for name in main if name.partition(".")[0] in CLOSED]:
        del main[name]
    for name in [name for name in sys.modules if name.partition(".")[0] in CLOSED]:
        del sys.modules[name]
    sys.meta_path[:] = [finder for finder in sys.meta_path if not _is_pyodides(finder)]
    sys.meta_path.insert(0, _Refuse())
    learn_library()
    learn_engine()

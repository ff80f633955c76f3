"""Takes away what reaches out of the interpreter. The host side is sealed as well: this is the nearer of two walls."""

import _imp
import os
import sys
from importlib.abc import MetaPathFinder

from _caracal.shared import CLOSED, learn_library


class _Refuse(MetaPathFinder):
    def find_spec(self, fullname, path=None, target=None):
        if fullname.partition(".")[0] in CLOSED:
            raise ImportError(f"'{fullname}' is closed to rules: it reaches out of the sandbox", name=fullname)
        return None


def _is_pyodides(finder):
    kind = finder if isinstance(finder, type) else type(finder)
    return kind.__module__.startswith(("_pyodide", "pyodide"))


def _close_builtins():
    """The finder above can be taken away; these two are what every finder of built-in modules ends at."""
    is_builtin, create_builtin = _imp.is_builtin, _imp.create_builtin

    def guarded_is_builtin(name):
        return 0 if name in CLOSED else is_builtin(name)

    def guarded_create_builtin(spec):
        if spec.name in CLOSED:
            raise ImportError(f"'{spec.name}' is closed to rules: it reaches out of the sandbox", name=spec.name)
        return create_builtin(spec)

    _imp.is_builtin, _imp.create_builtin = guarded_is_builtin, guarded_create_builtin


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

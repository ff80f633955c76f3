# Runs once in a new interpreter, before a snapshot is taken: registers the shipped modules and imports what rules use.
# `/caracal.json` contains {path: source} and is removed afterwards.
def _bootstrap():
    import json
    import os
    import sys
    import types

    with open("/caracal.json", encoding="utf-8") as file:
        sources = json.load(file)
    os.unlink("/caracal.json")
    package = types.ModuleType("_caracal")
    package.__path__ = []
    sys.modules["_caracal"] = package
    shipped = types.ModuleType("_caracal.shipped")
    exec(compile(sources["_caracal/shipped.py"], "_caracal/shipped.py", "exec"), shipped.__dict__)
    sys.modules["_caracal.shipped"] = package.shipped = shipped
    for path, source in sources.items():
        shipped.add(path, source)
    shipped.install()
    # All built-in modules that rules may use: none can be created later.
    for name in sys.builtin_module_names:
        if name not in ("_ctypes", "_posixsubprocess", "_pyodide", "_pyodide_core", "_remote_debugging") and not name.startswith(("_test", "_xx", "xx")):
            try:
                __import__(name)
            except ImportError:
                pass

    import _caracal.absent
    import _caracal.engine
    import _caracal.image
    import _caracal.library
    import _caracal.shared

    _caracal.absent.install()
    _caracal.image.load()
    import _strptime

    # Helpers try dozens of formats on one text: five at a time, which is Python's own limit, each is compiled again every time.
    _strptime._CACHE_MAX_SIZE = 500
    # Nor does the language change between two calls: this interpreter has one.
    language = _strptime._getlang()
    _strptime._getlang = lambda: language
    # `close.py` changes these.
    _caracal.library.learn_library(later=("__main__", "_imp", "gc"))


_bootstrap()
del _bootstrap

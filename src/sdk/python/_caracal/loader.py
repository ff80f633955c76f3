"""Loads rules and the helpers they import, with a separate view for each content root.

A name in an `import` is looked up in: the standard library; the modules beside the rule; the globals of the rule's
content root; the helpers that ship with the engine. Two roots may have different helpers of one name, so every module gets
an `__import__` that knows its place. Helpers are in `sys.modules` as well, where dataclasses, pickle and mocks look: the
first of a name under that name, any other one under a name of its own.
"""

import builtins
import linecache
import sys
import types
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec

from _caracal import limits, shipped
from _caracal.code import code_of
from _caracal.limits import LOADING, RuleTimeout, mark

# In the place of a number: a helper that comes with the engine.
SHIPPED = 0x0FFFFFFF

_STDLIB = sys.stdlib_module_names
_real_import = builtins.__import__


class Place:
    """A set of importable helpers: a folder's, or a root's globals followed by the shipped helpers."""

    def __init__(self, shared, settles, parent=None):
        self.parent = parent
        self._shared = shared
        self._settles = settles
        self.sources = {}
        self.modules = {}
        # Name of a helper -> its number in the load's marks, and why it must not be imported (again).
        self.numbers = {}
        self.broken = {}
        self.builtins = dict(vars(builtins))
        self.builtins["__import__"] = self._import

    def find(self, name):
        """The helper module of that name as seen from here, or None."""
        module = self.modules.get(name)
        if module is not None:
            return module
        source = self.sources.get(name)
        if source is not None:
            return self._load(name, *source)
        return self.parent.find(name) if self.parent else None

    def _load(self, name, file, source):
        """Importing it takes its own time, not its importer's. One that takes too long is not tried again by the next importer."""
        if name in self.broken:
            raise ImportError(f"{file}: {self.broken[name]}", name=name)
        importer = mark[0]
        # Outside of loading, in a call, the call is to blame.
        if importer >= LOADING:
            mark[0] = LOADING + self.numbers.get(name, SHIPPED)
            limits.announce_loading()
        try:
            module = self.execute(name, file, source, self.modules)
            self._shared.add_module(module)
            if self._settles and importer >= LOADING:
                # A helper may set up another one: it is the importers that may not.
                self._shared.settle()
            return module
        except RuleTimeout as error:
            self.broken[name] = f"importing it {error}"
            raise
        finally:
            mark[0] = importer

    def execute(self, name, file, source, registry=None, code=None):
        """Runs a source as a module. A failing module is forgotten, as Python itself does."""
        module = types.ModuleType(name if registry is None else _free_name(name))
        module.__file__ = file
        module.__builtins__ = self.builtins
        linecache.cache[file] = (len(source), None, source.splitlines(True), file)
        if registry is not None:
            registry[name] = sys.modules[module.__name__] = module
        try:
            exec(code or code_of(file, source), module.__dict__)
        except BaseException:
            if registry is not None:
                registry.pop(name, None)
                sys.modules.pop(module.__name__, None)
            raise
        return module

    def _import(self, name, globals=None, locals=None, fromlist=(), level=0):
        if level == 0 and "." not in name and name not in _STDLIB:
            module = self.find(name)
            if module is not None:
                return module
        elif level == 1 and (globals is None or not globals.get("__package__")):
            return self._relative(name, fromlist)
        return _real_import(name, globals, locals, fromlist, level)

    def _relative(self, name, fromlist):
        """`from . import helper` and `from .helper import x`: neighbours, as if they were named without the dot."""
        if name:
            return self._import(name, None, None, fromlist, 0)
        found = types.SimpleNamespace()
        for part in fromlist or ():
            setattr(found, part, self._import(part))
        return found


def _free_name(name):
    number = 1
    free = name
    while free in sys.modules:
        number += 1
        free = f"{name}@{number}"
    return free


class HelperFinder(MetaPathFinder):
    """For imports by name from code without its own place: `importlib.import_module("helper")`, `mock.patch("helper.f")`."""

    def __init__(self, places):
        self._places = places

    def find_spec(self, fullname, path=None, target=None):
        module = None if "." in fullname or fullname in _STDLIB else self._places.find(fullname)
        return module and ModuleSpec(fullname, self, origin=module.__file__)

    def create_module(self, spec):
        return self._places.find(spec.name)

    def exec_module(self, module):
        """It has been run."""


class Places:
    """
    All places of one load. `first`: the number of the first helper in the load's marks; `settles`: what helpers change while
    they are imported is how `shared` must stay.
    """

    def __init__(self, helpers, first, shared, settles):
        self._watched = shared, settles
        self._shared = shared
        self._numbered = []
        self._roots = {}
        self._folders = {}
        self._shipped = {
            name: (file, source)
            for name, (package, file, source) in shipped.SOURCES.items()
            if name.startswith("panther_") and "." not in name and not package
        }
        for helper in helpers:
            if helper["folder"] is None and not helper["root"]:
                self._shipped[helper["name"]] = (helper["file"], helper["code"])
        for number, helper in enumerate(helpers, first):
            if helper["folder"] is not None:
                place = self._folder(helper["root"], helper["folder"])
            elif helper["root"]:
                place = self._root(helper["root"])
            else:
                continue
            name = helper["name"]
            place.sources[name] = (helper["file"], helper["code"])
            place.numbers[name] = number
            if helper["broken"] is not None:
                place.broken[name] = helper["broken"]
            self._numbered.append((number - first, name, place))

    def broken(self):
        """[index of a helper, why it could not be imported]: of those that a later load need not try."""
        return [[index, place.broken[name]] for index, name, place in self._numbered if name in place.broken]

    def find(self, name):
        """The helper of that name in the first root that has one."""
        for place in list(self._roots.values()):
            module = place.find(name)
            if module is not None:
                return module
        return None

    def of(self, root, folder):
        """Where a rule's imports start."""
        return self._folders.get((root, folder)) or self._root(root)

    def _root(self, root):
        place = self._roots.get(root)
        if place is None:
            behind = Place(*self._watched)
            behind.sources = self._shipped
            place = self._roots[root] = Place(*self._watched, behind)
            # A shipped helper that imports another one gets the root's own version if there is one.
            behind.builtins["__import__"] = place._import
            self._shared.add_builtins("builtins", place.builtins)
            self._shared.add_builtins("builtins", behind.builtins)
        return place

    def _folder(self, root, folder):
        place = self._folders.get((root, folder))
        if place is None:
            place = self._folders[root, folder] = Place(*self._watched, self._root(root))
            self._shared.add_builtins("builtins", place.builtins)
        return place

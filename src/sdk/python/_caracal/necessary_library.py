"""The modules that rules see, each in its place."""

from _caracal.necessary_module import Module
from _caracal.necessary_syntax import STDLIB


class Place:
    """Finds modules as `_caracal.loader` does: next to the rule, in its root, among the shipped ones."""

    def __init__(self, library, sources, parent=None):
        self.library = library
        self.sources = sources
        self.parent = parent
        self.modules = {}

    def find(self, name, importer=None):
        if "." in name or name in STDLIB:
            return None
        if name not in self.modules:
            source = self.sources.get(name)
            if source is None:
                return self.parent.find(name, importer or self) if self.parent else None
            # Set first: modules may import each other.
            self.modules[name] = None
            # A shipped helper imports its root's own version of another one, if there is one.
            self.modules[name] = Module(name, source, importer if importer and self.parent is None else self)
        return self.modules[name]


class Library:
    """All modules of a content. `shipped`: name -> source."""

    def __init__(self, helpers, rules, models, shipped, elsewhere):
        self._roots = {}
        self._folders = {}
        self._shipped = dict(shipped)
        for helper in helpers:
            if helper["folder"] is None and not helper["root"]:
                self._shipped[helper["name"]] = helper["code"]
        for helper in helpers:
            if helper["folder"] is not None:
                self._folder(helper["root"], helper["folder"]).sources[helper["name"]] = helper["code"]
            elif helper["root"]:
                self._root(helper["root"]).sources[helper["name"]] = helper["code"]
        # Names of attributes that some module sets on others; whether one creates objects of `unittest.mock`.
        # `elsewhere`: the traits of rules that are not read again.
        self.attributes_stored = set(elsewhere["attributes"])
        self.makes_mocks = elsewhere["mocks"]
        for module in self.helpers():
            self._note(module)
        self.modules = {}
        for item in [*rules, *models]:
            if item["code"] is not None:
                place = self._folders.get((item["root"], item["folder"])) or self._root(item["root"])
                module = Module(item["id"], item["code"], place)
                self.modules[id(item)] = module
                self._note(module)

    def helpers(self):
        """All modules of helpers but the shipped ones."""
        for place in [*self._roots.values(), *self._folders.values()]:
            for name in place.sources:
                yield place.find(name)

    def _note(self, module):
        if module is not None:
            self.attributes_stored |= module.attributes_stored
            self.makes_mocks = self.makes_mocks or module.makes_mocks

    def closure(self, module):
        """The module and all that it imports, directly or not."""
        seen = {id(module): module}
        waiting = [module]
        while waiting:
            one = waiting.pop()
            for name in one.imported:
                found = one.place.find(name)
                if found is not None and id(found) not in seen:
                    seen[id(found)] = found
                    waiting.append(found)
        return list(seen.values())

    def is_impure(self, module):
        """The module, or one that it reaches, keeps something between two calls."""
        if "is_impure" not in module.facts:
            module.facts["is_impure"] = any(one.is_impure for one in self.closure(module))
        return module.facts["is_impure"]

    def _root(self, root):
        if root not in self._roots:
            # Places of shipped modules differ by root: see `Place.find`.
            self._roots[root] = Place(self, {}, Place(self, self._shipped))
        return self._roots[root]

    def _folder(self, root, folder):
        key = (root, folder)
        if key not in self._folders:
            self._folders[key] = Place(self, {}, self._root(root))
        return self._folders[key]


def traits_of(modules):
    """Properties of some modules that others depend on, as a library records them."""
    known = [module for module in modules if module is not None]
    attributes = set().union(*(module.attributes_stored for module in known))
    return {"attributes": sorted(attributes), "mocks": any(module.makes_mocks for module in known)}

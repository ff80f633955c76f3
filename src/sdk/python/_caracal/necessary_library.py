"""The modules that rules see, read and never run: functions, imports, and names that keep their value."""

import ast
import builtins
import sys

STDLIB = sys.stdlib_module_names

# Methods that change what they are called on.
MUTATORS = frozenset(
    "add append appendleft clear discard extend extendleft insert pop popitem popleft remove reverse setdefault sort update write "
    "difference_update intersection_update symmetric_difference_update move_to_end __setitem__ __delitem__ rotate".split()
)
# Functions that keep nothing of what they are given and change nothing of it.
SAFE_BUILTINS = frozenset(
    "abs all any bool bytes callable dict divmod enumerate filter float format frozenset hasattr hash int isinstance issubclass iter "
    "len list map max min ord print range repr reversed round set slice sorted str sum tuple type zip".split()
)
CACHE = "panther_detection_helpers"
CACHE_READERS = frozenset(("get_counter", "get_dictionary", "get_string_set", "check_account_age"))
# Names by which code reaches what cannot be followed.
REFLECTION = frozenset(("globals", "locals", "vars", "exec", "eval", "setattr", "delattr", "__import__", "compile", "next"))


def root(node):
    """The name at the beginning of `name.a[0].b()`, or None."""
    while True:
        if isinstance(node, ast.Name):
            return node.id
        if isinstance(node, (ast.Attribute, ast.Subscript, ast.Starred, ast.NamedExpr)):
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func if isinstance(node.func, ast.Attribute) else None
        else:
            return None


def _roots(node):
    """Names that the value of an expression may be, and names of which it may be a part."""
    if isinstance(node, ast.Name):
        return {node.id}, set()
    if isinstance(node, ast.BoolOp):
        parts = node.values
    elif isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        parts = node.elts
    elif isinstance(node, ast.IfExp):
        parts = (node.body, node.orelse)
    elif isinstance(node, ast.Dict):
        parts = node.values
    elif isinstance(node, (ast.Starred, ast.NamedExpr)):
        parts = (node.value,)
    else:
        name = root(node)
        return set(), set() if name is None else {name}
    found = [_roots(part) for part in parts]
    return set().union(*(one[0] for one in found)), set().union(*(one[1] for one in found))


def _targets(node):
    return {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}


class Module:
    """One source. `place` finds the modules that it imports."""

    def __init__(self, name, source, place):
        self.name = name
        self.place = place
        self.functions = {}
        self.imports = {}
        self.constants = {}
        # Names that functions of the module assign (`global`).
        self.globals = set()
        self.bound = set()
        self.is_star = False
        # What its constants are worth, as far as somebody asked.
        self.values = {}
        self._unstable = self._unstable_inside = self._is_impure = None
        # What was found out about parts of its tree.
        self.facts = {}
        self._imported = None
        try:
            self.tree = ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            # It cannot be loaded either: the engine says so.
            self.tree = ast.Module(body=[], type_ignores=[])
        self.nodes = list(ast.walk(self.tree))
        for node in self.nodes:
            if isinstance(node, ast.Global):
                self.globals.update(node.names)
        self._bind()
        self._follow()

    def _bind(self):
        counts = {}

        def bind(name, kind=None, value=None):
            counts[name] = counts.get(name, 0) + 1
            if kind is not None:
                kind[name] = value

        for node in self.tree.body:
            if isinstance(node, ast.FunctionDef):
                bind(node.name, self.functions, node)
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    bind(alias.asname or alias.name.partition(".")[0], self.imports, (alias.name if alias.asname else alias.name.partition(".")[0], None))
            elif isinstance(node, ast.ImportFrom):
                self._bind_from(node, bind)
            elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                bind(node.targets[0].id, self.constants, node.value)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
                bind(node.target.id, self.constants, node.value)
            else:
                self._bind_rest(node, bind)
        self.bound = set(counts)
        self._changing = {name for name, count in counts.items() if count > 1} | self.globals

    def _bind_from(self, node, bind):
        for alias in node.names:
            if alias.name == "*":
                self.is_star = True
            elif node.module is None:
                bind(alias.asname or alias.name, self.imports, (alias.name, None))
            else:
                bind(alias.asname or alias.name, self.imports, (node.module, alias.name))

    def _bind_rest(self, node, bind):
        """Classes, loops, `try` and the like at module level: names with some value."""
        if isinstance(node, ast.ClassDef):
            bind(node.name)
            return
        for inner in ast.walk(node):
            if isinstance(inner, ast.Name) and not isinstance(inner.ctx, ast.Load):
                bind(inner.id)
            elif isinstance(inner, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)):
                bind(inner.name)
            elif isinstance(inner, (ast.Import, ast.ImportFrom)):
                for alias in inner.names:
                    bind(alias.asname or alias.name.partition(".")[0])
            elif isinstance(inner, ast.ExceptHandler) and inner.name:
                bind(inner.name)

    def _follow(self):
        """Names whose value is changed in place, names that share a value, and names that are handed to somebody."""
        self.mutated = set()
        # Name -> names that may share its value; and names that may share a part of it.
        self.links = {}
        self.inner_links = {}
        self.arguments = []
        self.leaked = set()
        self.inner_leaked = set()
        self.uses_reflection = False
        self.makes_mocks = False
        self.attributes_stored = set()
        for node in self.nodes:
            if isinstance(node, ast.Call):
                self._follow_call(node)
            elif isinstance(node, (ast.Subscript, ast.Attribute)) and not isinstance(node.ctx, ast.Load):
                self.mutated.add(root(node.value))
                if isinstance(node, ast.Attribute):
                    self.attributes_stored.add(node.attr)
            elif isinstance(node, ast.AugAssign):
                self.mutated.add(root(node.target))
            elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.NamedExpr)):
                if node.value is not None:
                    whole, inner = _roots(node.value)
                    for target in node.targets if isinstance(node, ast.Assign) else (node.target,):
                        self._link(self.links if isinstance(target, ast.Name) else self.inner_links, _targets(target), whole)
                        self._link(self.inner_links, _targets(target), inner)
            elif isinstance(node, (ast.For, ast.comprehension)):
                self._link(self.inner_links, _targets(node.target), set().union(*_roots(node.iter)))
            elif isinstance(node, (ast.Return, ast.Yield, ast.YieldFrom)) and node.value is not None:
                self._leak(node.value)
            elif isinstance(node, ast.Lambda):
                self._leak(node.body)
            elif isinstance(node, ast.arguments):
                for default in [*node.defaults, *node.kw_defaults]:
                    if default is not None:
                        self._leak(default)
            elif isinstance(node, ast.Name) and node.id in REFLECTION and node.id not in ("next", "compile"):
                self.uses_reflection = True
            elif isinstance(node, ast.Attribute) and node.attr in ("__dict__", "modules"):
                self.uses_reflection = True

    def _leak(self, node):
        whole, inner = _roots(node)
        self.leaked |= whole
        self.inner_leaked |= inner

    def _follow_call(self, node):
        function = node.func
        if isinstance(function, ast.Attribute) and function.attr in MUTATORS:
            self.mutated.add(root(function.value))
        elif isinstance(function, ast.Name) and function.id == "next":
            self.mutated.update(name for argument in node.args for name in set().union(*_roots(argument)))
        start = root(function)
        if start in self.imports and self.imports[start][0].startswith("unittest"):
            self.makes_mocks = True
        for position, argument in enumerate([*node.args, *(keyword.value for keyword in node.keywords)]):
            names = _roots(argument)
            if names[0] or names[1]:
                keyword = node.keywords[position - len(node.args)].arg if position >= len(node.args) else None
                self.arguments.append((function, position, keyword, names))

    @staticmethod
    def _link(links, targets, sources):
        for target in targets:
            for source in sources:
                links.setdefault(target, set()).add(source)
                links.setdefault(source, set()).add(target)

    def group(self, name, *links):
        """The name and all names that may share its value, or a part of it."""
        seen = {name}
        waiting = [name]
        while waiting:
            one = waiting.pop()
            for table in links or (self.links, self.inner_links):
                for other in table.get(one, ()):
                    if other not in seen:
                        seen.add(other)
                        waiting.append(other)
        return seen

    @property
    def unstable(self):
        """Names whose container may be changed, by this module or by one that it hands it to."""
        self._settle()
        return self._unstable

    @property
    def unstable_inside(self):
        """Names of containers in which another container may be changed."""
        self._settle()
        return self._unstable_inside

    def _settle(self):
        if self._unstable is not None:
            return
        # Asked again while it is worked out (modules that import each other): nothing is known to keep.
        self._unstable = self._unstable_inside = _Everything()
        whole = self.mutated | self.leaked
        inner = set(self.inner_leaked)
        # Functions of one module hand each other what they are given: until nothing new is found.
        while True:
            self._unstable = {name for one in whole if one is not None for name in self.group(one, self.links)}
            self._unstable_inside = {name for one in whole | inner if one is not None for name in self.group(one)}
            before = len(whole), len(inner)
            for function, position, keyword, (names, parts) in self.arguments:
                if not (names <= whole and parts <= inner) and not self._keeps(function, position, keyword):
                    whole |= names
                    inner |= parts
            if before == (len(whole), len(inner)):
                return

    def _keeps(self, function, position, keyword):
        """Whether a function leaves an argument as it is and does not hold on to it."""
        if isinstance(function, ast.Attribute):
            if function.attr in MUTATORS:
                return False
            module = self.module_of(function.value)
            if module is None:
                owner = root(function.value)
                return owner not in self.imports or not _changes_arguments(self.imports[owner][0])
            return _leaves(module, function.attr, position, keyword)
        if not isinstance(function, ast.Name):
            return False
        if function.id in self.functions and function.id not in self._changing:
            return _leaves(self, function.id, position, keyword)
        if function.id in self.imports:
            owner, name = self.imports[function.id]
            module = self.place.find(owner)
            if module is not None:
                return name is not None and _leaves(module, name, position, keyword)
            return not _changes_arguments(owner)
        return function.id in SAFE_BUILTINS and function.id not in self.bound

    def module_of(self, node):
        """The content module that a name stands for, or None."""
        if isinstance(node, ast.Name) and node.id in self.imports and node.id not in self._changing:
            owner, name = self.imports[node.id]
            if name is None:
                return self.place.find(owner)
        return None

    def is_fixed(self, name):
        """The name is bound once and nobody gives it another value."""
        library = self.place.library
        return name not in self._changing and not self.uses_reflection and name not in library.attributes_stored

    @property
    def is_impure(self):
        if self._is_impure is None:
            self._is_impure = self._find_impure()
        return self._is_impure

    def _find_impure(self):
        """Some function of the module writes to the cache or keeps something of its own between two calls."""
        for owner, name in self.imports.values():
            if owner.partition(".")[0] == CACHE and name not in CACHE_READERS:
                return True
        if self.uses_reflection or self.globals:
            return True
        return any(name in self.bound for one in self._mutated_in_functions() for name in self.group(one))

    def _mutated_in_functions(self):
        """Without what the module's own level does while it is loaded."""
        for statement in self.tree.body:
            if not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                continue
            for node in ast.walk(statement):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in MUTATORS:
                    name = root(node.func.value)
                elif isinstance(node, (ast.Subscript, ast.Attribute)) and not isinstance(node.ctx, ast.Load):
                    name = root(node.value)
                elif isinstance(node, ast.AugAssign):
                    name = root(node.target)
                else:
                    continue
                if name is not None:
                    yield name

    @property
    def imported(self):
        """Names of the modules that are imported anywhere in it."""
        if self._imported is None:
            self._imported = frozenset(self._find_imported())
        return self._imported

    def _find_imported(self):
        for node in self.nodes:
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                if node.module is None:
                    yield from (alias.name for alias in node.names)
                else:
                    yield node.module


class _Everything:
    """Holds every name."""

    def __contains__(self, _name):
        return True


def _changes_arguments(module_name):
    return module_name.partition(".")[0] in ("heapq", "random", "bisect", "operator", "functools", CACHE)


def _leaves(module, name, position, keyword):
    function = module.functions.get(name)
    if function is None or not module.is_fixed(name):
        return False
    arguments = function.args
    names = [argument.arg for argument in [*arguments.posonlyargs, *arguments.args]]
    if keyword is None and position >= len(names):
        return False
    parameter = keyword or names[position]
    return parameter not in module.unstable


class Place:
    """Finds modules as `_caracal.loader` does: beside the rule, in its root, among the shipped ones."""

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
        # Names that some module gives to attributes of others; whether one makes what `unittest.mock` offers.
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
    """What of some modules others depend on, as a library notes it."""
    known = [module for module in modules if module is not None]
    attributes = set().union(*(module.attributes_stored for module in known))
    return {"attributes": sorted(attributes), "mocks": any(module.makes_mocks for module in known)}


def is_builtin(name):
    return hasattr(builtins, name)

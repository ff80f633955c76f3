"""A module, read and never run: its functions, its imports, and the names that keep their value."""

import ast

from _caracal.necessary_syntax import CACHE, CACHE_READERS, MUTATORS, REFLECTION, SAFE_BUILTINS, root, roots_of, targets_of


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
        # The values of its constants, as far as they were requested.
        self.values = {}
        self._unstable = self._unstable_inside = self._is_impure = None
        # Results for parts of its tree.
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
        """Names whose value is changed in place, names that share a value, and names that are passed to other code."""
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
                    whole, inner = roots_of(node.value)
                    for target in node.targets if isinstance(node, ast.Assign) else (node.target,):
                        self._link(self.links if isinstance(target, ast.Name) else self.inner_links, targets_of(target), whole)
                        self._link(self.inner_links, targets_of(target), inner)
            elif isinstance(node, (ast.For, ast.comprehension)):
                self._link(self.inner_links, targets_of(node.target), set().union(*roots_of(node.iter)))
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
        whole, inner = roots_of(node)
        self.leaked |= whole
        self.inner_leaked |= inner

    def _follow_call(self, node):
        function = node.func
        if isinstance(function, ast.Attribute) and function.attr in MUTATORS:
            self.mutated.add(root(function.value))
        elif isinstance(function, ast.Name) and function.id == "next":
            self.mutated.update(name for argument in node.args for name in set().union(*roots_of(argument)))
        start = root(function)
        if start in self.imports and self.imports[start][0].startswith("unittest"):
            self.makes_mocks = True
        for position, argument in enumerate([*node.args, *(keyword.value for keyword in node.keywords)]):
            names = roots_of(argument)
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
        """Whether a function neither changes an argument nor keeps a reference to it."""
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
        """The content module that a name refers to, or None."""
        if isinstance(node, ast.Name) and node.id in self.imports and node.id not in self._changing:
            owner, name = self.imports[node.id]
            if name is None:
                return self.place.find(owner)
        return None

    def is_fixed(self, name):
        """The name is bound once and never gets another value."""
        library = self.place.library
        return name not in self._changing and not self.uses_reflection and name not in library.attributes_stored

    @property
    def is_impure(self):
        if self._is_impure is None:
            self._is_impure = self._find_impure()
        return self._is_impure

    def _find_impure(self):
        """Some function of the module writes to the cache or keeps state between two calls."""
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

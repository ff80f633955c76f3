"""A helper's changes to its own state, such as a memo or a counter. Determined only if something has changed."""

import ast
import dis
import linecache
from types import FunctionType

MUTATORS = frozenset(
    "add append clear discard extend insert pop popitem remove reverse setdefault sort update difference_update "
    "intersection_update symmetric_difference_update __setitem__ __delitem__".split()
)
_STORE_GLOBAL = dis.opmap["STORE_GLOBAL"]
STORES_ITEM = frozenset((dis.opmap["STORE_SUBSCR"], dis.opmap["DELETE_SUBSCR"]))
STORES_ATTRIBUTE = frozenset((dis.opmap["STORE_ATTR"], dis.opmap["DELETE_ATTR"]))


class Owner:
    """Of one helper, by its source."""

    def __init__(self, source):
        self._globals = set()
        self._mutated = set()
        self.stored = set()
        for function in ast.walk(ast.parse(source)):
            if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
                for node in ast.walk(function):
                    self._read(node)

    def _read(self, node):
        if isinstance(node, ast.Global):
            self._globals.update(node.names)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, (ast.Store, ast.Del)):
            self.stored.add(node.attr)
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, (ast.Store, ast.Del)):
            self._mutated.update(_names(node.value))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in MUTATORS:
            self._mutated.update(_names(node.func.value))
        elif isinstance(node, ast.AugAssign):
            self._mutated.update(_names(node.target))

    def rebinds(self, name):
        return name in self._globals

    def mutates(self, name):
        return name in self._mutated or name in self._globals


def _names(node):
    """`a` and `b` of `a.b[c]`."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        if isinstance(node, ast.Attribute):
            yield node.attr
        node = node.value
    if isinstance(node, ast.Name):
        yield node.id


class Owned:
    """All helpers of one load."""

    def __init__(self):
        self._owners = {}

    def of(self, file):
        owned = _Lazy(file, self._owners)
        self._owners[file] = owned
        return owned


class _Lazy:
    def __init__(self, file, all_of_them):
        self._file = file
        self._all = all_of_them
        self._owner = None

    def read(self):
        if self._owner is None:
            self._owner = Owner("".join(linecache.getlines(self._file)))
        return self._owner

    def rebinds(self, name):
        return self.read().rebinds(name) or self.stores(name)

    def mutates(self, name):
        return any(owner.read().mutates(name) for owner in self._all.values())

    def stores(self, name):
        """A helper may keep something at another helper or at a class."""
        return any(name in owner.read().stored for owner in self._all.values())


def names_and_opcodes(code):
    """All names, instructions and string constants of code and of the functions in it."""
    names = set()
    opcodes = set()
    texts = set()
    codes = [code]
    while codes:
        code = codes.pop()
        names.update(code.co_names)
        # Every second byte is an instruction.
        opcodes.update(code.co_code[::2])
        constants = list(code.co_consts)
        while constants:
            constant = constants.pop()
            if type(constant) is str:
                texts.add(constant)
            elif type(constant) in (tuple, frozenset):
                constants.extend(constant)
            elif type(constant) is type(code):
                codes.append(constant)
    return names, opcodes, texts


def stored_globals(names):
    """Global names that functions among these values give values to."""
    stored = set()
    codes = [value.__code__ for value in names.values() if type(value) is FunctionType]
    while codes:
        code = codes.pop()
        if _STORE_GLOBAL in code.co_code[::2]:
            stored.update(step.argval for step in dis.get_instructions(code) if step.opcode == _STORE_GLOBAL)
        codes.extend(constant for constant in code.co_consts if type(constant) is type(code))
    return stored

"""What is known of names and methods by their spelling alone when rules are read."""

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


def roots_of(node):
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
    found = [roots_of(part) for part in parts]
    return set().union(*(one[0] for one in found)), set().union(*(one[1] for one in found))


def targets_of(node):
    return {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}


def is_builtin(name):
    return hasattr(builtins, name)

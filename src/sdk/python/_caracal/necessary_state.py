"""The state of reading a rule, and small checks of values that its parts share."""

import ast

from _caracal.necessary_formula import TRUE, both, either
from _caracal.necessary_read import UNKNOWN, constant, members, over
from _caracal.necessary_ask import ask
from _caracal.necessary_values import Chain, Choice, Comprehended, Const, Entries, Field, Lazy, Several, Truth, Value

# A name or a call of which nothing is known, not even that it leaves no trace.
OPAQUE = Value()

MAX_STEPS = 60_000
MAX_DEPTH = 10
MAX_STATES = 8
MAX_UNROLLED = 300
MAX_TURNS = 40

CONSTANT_MAKERS = {"tuple": tuple, "list": list, "set": set, "frozenset": frozenset, "sorted": sorted, "len": len, "dict": dict, "int": int, "str": str}


class TooMuch(Exception):
    """The rule is too large to follow."""


class Function(Value):
    def __init__(self, module, node):
        self.module = module
        self.node = node


class ModuleValue(Value):
    """An imported module; `module` is None for one that is not content."""

    def __init__(self, name, module):
        self.name = name
        self.module = module


class Foreign(Value):
    """A name of a module that is not content."""

    def __init__(self, module, name):
        self.module = module
        self.name = name


class Builtin(Value):
    def __init__(self, name):
        self.name = name


class Frame:
    """One call of a function."""

    def __init__(self, module, node, is_top, start=0):
        self.module = module
        self.node = node
        self.is_top = is_top
        # Length of the context before it.
        self.start = start
        # (condition, value, names) of each way out.
        self.returns = []
        self.assigned, self.globals, self.given = _names_of(module, node)


def _names_of(module, node):
    """Names that a function assigns, declares global, and is given."""
    if node is None:
        return frozenset(), frozenset(), frozenset()
    if node not in module.facts:
        parts = list(ast.walk(node))
        given = {argument.arg for argument in ast.walk(node.args) if isinstance(argument, ast.arg)}
        assigned = {part.arg for part in parts if isinstance(part, ast.arg)} | stored(parts)
        declared = {name for part in parts if isinstance(part, ast.Global) for name in part.names}
        module.facts[node] = frozenset(assigned), frozenset(declared), frozenset(given)
    return module.facts[node]


def stored(parts):
    names = {part.id for part in parts if isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Load)}
    names.update(part.name for part in parts if isinstance(part, (ast.MatchAs, ast.MatchStar, ast.FunctionDef, ast.ExceptHandler)) and part.name)
    for part in parts:
        if isinstance(part, (ast.Import, ast.ImportFrom)):
            names.update(alias.asname or alias.name.partition(".")[0] for alias in part.names)
        elif isinstance(part, ast.MatchMapping) and part.rest:
            names.add(part.rest)
    return names


def is_boolean(value):
    if isinstance(value, (Choice,)):
        return all(is_boolean(branch) for _, branch in value.branches)
    return isinstance(value, Truth) or isinstance(value, Const) and type(value.value) is bool


def all_or_any(value, name):
    if isinstance(value, Lazy):
        value = value.inner
    if isinstance(value, Comprehended):
        if name == "any":
            return both(value.condition, ask(value.value, "truthy")[0]), TRUE
        return TRUE, both(value.condition, ask(value.value, "truthy")[1])
    if isinstance(value, Const):
        found = members(value)
    elif isinstance(value, Several):
        found = value.items
    else:
        return (ask(value, "truthy")[0], TRUE) if name == "any" else (TRUE, TRUE)
    pairs = [ask(item, "truthy") for item in found]
    if name == "any":
        return either(*(pair[0] for pair in pairs)), both(*(pair[1] for pair in pairs))
    return both(*(pair[0] for pair in pairs)), either(*(pair[1] for pair in pairs))


def as_text(value):
    if isinstance(value, Const):
        return constant(lambda: str(value.value)) if type(value.value) in (str, int, bool, type(None)) else UNKNOWN
    if isinstance(value, Field) and value.case is None and value.part is None:
        return value.changed(over(value.missing, as_text), as_text=True)
    return value if isinstance(value, Field) and not value.as_text else UNKNOWN


def collapsed(ways):
    """One value of several: as a truth when all are booleans."""
    if len(ways) == 1 and ways[0][0] == TRUE:
        return ways[0][1]
    choice = Choice(ways)
    return Truth(ask(choice, "truthy")) if is_boolean(choice) else choice


def joined(condition, after):
    """States after a branch, with the condition before it; those with the same names become one."""
    states = []
    for inner, names in after:
        for place, (other, known) in enumerate(states):
            if known == names:
                states[place] = (either(other, inner), known)
                break
        else:
            states.append((inner, names))
    return [(both(condition, inner), names) for inner, names in states]


def merged(states):
    """One state of many."""
    names = {}
    for name in set().union(*(known for _, known in states)):
        values = [known.get(name) for _, known in states]
        if isinstance(name, tuple) and None in values:
            continue
        names[name] = values[0] if all(value is values[0] for value in values) else UNKNOWN
    return either(*(condition for condition, _ in states)), names


def is_immutable(value):
    return isinstance(value, Const) and isinstance(value.value, (str, int, float, bool, bytes, type(None), frozenset, tuple)) and (
        not isinstance(value.value, (tuple, frozenset)) or all(is_immutable(Const(item)) for item in value.value)
    )


def is_kept(name, value, module):
    """Under this name of the module the value stays what it is."""
    if name not in module.unstable_inside:
        return True
    return keeps_its_worth(value, name not in module.unstable)


def is_flat(container):
    """No container in it can be changed."""
    items = container.values() if isinstance(container, dict) else container
    return all(is_immutable(Const(item)) for item in items)


def keeps_its_worth(value, is_whole_safe=False):
    """No container of the rule's own is in it that some code may change; `is_whole_safe`: only what lies inside may be changed."""
    if isinstance(value, (Choice, Chain)):
        return all(keeps_its_worth(branch, is_whole_safe) for _, branch in value.branches)
    if isinstance(value, Field):
        return keeps_its_worth(value.missing, is_whole_safe)
    if isinstance(value, Const):
        return is_immutable(value) or is_whole_safe and isinstance(value.value, (list, set, dict, tuple)) and is_flat(value.value)
    return not isinstance(value, (Several, Comprehended, Lazy, Entries))


def can_be_followed(node):
    if not isinstance(node, ast.FunctionDef) or node.decorator_list:
        return False
    return not any(isinstance(part, (ast.Yield, ast.YieldFrom, ast.Await, ast.Nonlocal)) for part in ast.walk(node))

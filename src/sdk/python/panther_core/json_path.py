"""The part of JSONPath that data models use.

`a`, `$.a.b.c`, `a['b c']`, `a[0].b`, `a[*].b`, `a[1:3]`, `a[0,2]`, `a['b','c']`, `a..b` (at any depth), `a.b|c.d` (both
`a.b.d` and `a.c.d`: jsonpath-ng binds `|` closer than the dot), and `a[?(@.name == 'x' & @.n > 1 & @.s =~ '^y')].value`.
Names are compared exactly, case included.
"""

import operator
import re

_STEP = re.compile(
    r"""(?P<name>[^.\[\]'"*?|,:()\s$&`][^.\[\]'"*?|,:()\s$&`]*)"""
    r"""|(?P<quoted>'[^']*'|"[^"]*")"""
    r"""|\[\s*(?P<inner>'[^']*'|"[^"]*")\s*\]"""
    r"""|\[\s*(?P<index>-?\d{1,9})\s*\]"""
    r"""|\[\s*(?P<slice>(?:-?\d{1,9})?\s*:\s*(?:-?\d{1,9})?\s*(?::\s*(?:-?\d{1,9})?)?)\s*\]"""
    r"""|\[\s*(?P<several>-?\d{1,9}(?:\s*,\s*-?\d{1,9})+|(?:'[^']*'|"[^"]*")(?:\s*,\s*(?:'[^']*'|"[^"]*"))+)\s*\]"""
    r"""|\[\?\s*\(?(?P<filter>(?:[^'"\[\]()]|'[^']*'|"[^"]*")+)\)?\s*\]"""
    r"""|(?P<star>\[\s*\*\s*\]|\*)"""
)
_CONDITION = re.compile(
    r"""\s*@\.?(?P<path>[^\s=!<>&'"]+)\s*(?:(?P<operator>=~|==|!=|<=|>=|<|>|=)\s*(?P<value>'[^']*'|"[^"]*"|[^\s&'"]+))?\s*(?:&|$)"""
)
_OPERATORS = {
    "=~": lambda value, pattern: isinstance(value, str) and re.search(pattern, value) is not None,
    "==": operator.eq,
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

# A wildcard over a hostile event stops here: more than one hit is an error for a data model anyway.
MAX_HITS = 1000


class Star:
    """The step that selects every member."""


class Deep:
    """The step that selects what another step selects, at any depth."""

    def __init__(self, step):
        self.step = step


class Filter:
    """The step that selects the items for which all conditions hold: (steps, operator, constant)."""

    def __init__(self, conditions):
        self.conditions = conditions

    def holds(self, item):
        return all(
            any(compare is None or _compares(compare, value, constant) for value, _ in _hits(item, steps))
            for steps, compare, constant in self.conditions
        )


class Either:
    """The step that selects the results of several paths."""

    def __init__(self, paths):
        self.paths = paths


STAR = Star()
_MAX_TEXT = 1000


def parse(text):
    """The steps of a path. Raises ValueError for what is not supported."""
    if not isinstance(text, str) or not text.strip():
        raise ValueError("the path is empty")
    if len(text) > _MAX_TEXT:
        raise ValueError(f"the path is longer than {_MAX_TEXT} characters")
    rest = text.strip()
    # The event itself.
    if rest == "$":
        return (Either(((),)),)
    at = 1 if rest[0] == "$" else 0
    steps = []
    while at < len(rest):
        other = bool(steps) and rest[at] == "|" and found.lastgroup == "name"
        at += other
        dots = 0 if other else 2 if rest.startswith("..", at) else 1 if rest.startswith(".", at) else 0
        found = _STEP.match(rest, at + dots)
        bracket = rest.startswith("[", at + dots)
        # A name needs a dot before it unless it comes first; a bracket may have one.
        if not found or not (dots or other or bracket or (not steps and rest[0] != "$")):
            raise ValueError(
                f"'{rest[at : at + 20]}' in the path '{text}' is not understood: write names ($.a.b, $.a['b c']), "
                "indexes ([0], [1:3], [0,2]), [*], ..name or [?(@.name == 'x')]"
            )
        at = found.end()
        step = _step(found.lastgroup, found.group(found.lastgroup), text)
        if other:
            step = Either(((steps.pop(),), (step,)))
        steps.append(Deep(step) if dots == 2 else step)
    if not steps:
        raise ValueError(f"the path '{text}' names no field")
    return tuple(steps)


def _step(kind, value, text):
    if kind == "star":
        return STAR
    if kind == "index":
        return int(value)
    if kind == "slice":
        return slice(*(int(part) if part.strip() else None for part in value.split(":")))
    if kind == "several":
        parts = re.findall(r"""-?\d+|'[^']*'|"[^"]*\"""", value)
        return Either(tuple((int(part) if part[0] not in "'\"" else part[1:-1],) for part in parts))
    if kind == "filter":
        return Filter(_conditions(value, text))
    return value if kind == "name" else value[1:-1]


def _conditions(expression, text):
    conditions = []
    at = 0
    while at < len(expression):
        found = _CONDITION.match(expression, at)
        if not found or found.end() == at:
            raise ValueError(f"the filter '{expression}' in the path '{text}' is not understood: write @.name == 'x'")
        at = found.end()
        compare = found["operator"] and _OPERATORS[found["operator"]]
        conditions.append((parse(found["path"]), compare, compare and _constant(found["value"], text)))
    return conditions


def _constant(value, text):
    if value[0] in "'\"":
        return value[1:-1]
    if value in ("true", "false"):
        return value == "true"
    try:
        return float(value) if "." in value else int(value)
    except ValueError:
        raise ValueError(f"'{value}' in the path '{text}' is no number: put quotes around a text") from None


def _compares(compare, value, constant):
    try:
        return compare(value, constant)
    except TypeError:
        return False


def find(value, steps):
    """All hits as [(value, path text)]; the path text is names and indexes joined by dots."""
    return [(hit, ".".join(path)) for hit, path in _hits(value, steps)]


def _hits(value, steps):
    hits = [(value, ())]
    for step in steps:
        further = []
        for item, path in hits:
            for member, where in _take(item, step, path):
                further.append((member, where))
                if len(further) >= MAX_HITS:
                    return further
        hits = further
    return hits


def _take(value, step, path):
    kind = type(value)
    if type(step) is str:
        if kind is dict and step in value:
            yield value[step], (*path, step)
    elif type(step) is int:
        if kind is list and -len(value) <= step < len(value):
            yield value[step], (*path, f"[{step}]")
    elif type(step) is slice:
        # Anything but a list counts as a list of one.
        yield from (list(_members(value, path)) if kind is list else [(value, path)])[step]
    elif type(step) is Either:
        for steps in step.paths:
            for hit, where in _hits(value, steps):
                yield hit, (*path, *where)
    elif step is STAR:
        yield from _members(value, path)
    elif type(step) is Filter:
        for member, where in _members(value, path):
            if step.holds(member):
                yield member, where
    else:
        yield from _take(value, step.step, path)
        for member, where in _members(value, path):
            yield from _take(member, step, where)


def _members(value, path):
    if type(value) is dict:
        for key, member in value.items():
            yield member, (*path, key)
    elif type(value) is list:
        for index, member in enumerate(value):
            yield member, (*path, f"[{index}]")

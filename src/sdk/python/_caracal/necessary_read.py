"""The results of reading from values: keys, methods and operators, applied to partly known values."""

import operator

from _caracal.necessary_formula import TRUE, both, either, negate, atom
from _caracal.necessary_ask import ask, part_of
from _caracal.necessary_values import (
    Chain,
    Choice,
    Comprehended,
    Const,
    Data,
    Element,
    Entries,
    Event,
    Field,
    Lazy,
    Pattern,
    Raises,
    Several,
    Split,
    Truth,
    Value,
    View,
)

NONE = Const(None)
UNKNOWN = Data()
MAX_CONSTANT = 20_000
MAX_KEYS = 60

# Methods of constants that are worked out; none of them changes anything.
_CONSTANT_METHODS = {
    str: frozenset("lower upper strip lstrip rstrip split rsplit splitlines startswith endswith replace join title capitalize removeprefix removesuffix".split()),
    dict: frozenset(("get", "keys", "values", "items", "copy")),
    set: frozenset(("union", "intersection", "difference", "issubset", "issuperset", "copy")),
    frozenset: frozenset(("union", "intersection", "difference", "issubset", "issuperset", "copy")),
    list: frozenset(("copy", "count", "index")),
    tuple: frozenset(("count", "index")),
}


def constant(make):
    """A constant, or the representation of the exception that creating it raises."""
    try:
        value = make()
    except Exception:
        return Raises()
    kind = type(value)
    if kind in (str, list, tuple, set, frozenset, dict) and len(value) > MAX_CONSTANT:
        return UNKNOWN
    if kind.__name__ in ("dict_keys", "dict_values", "dict_items"):
        return Const(list(value))
    return Const(value)


def over(value, read):
    """`read` of each value that it may be."""
    if isinstance(value, (Choice, Chain)):
        return Choice([(condition, over(branch, read)) for condition, branch in value.branches])
    return read(value)


def key_of(value, key, default):
    """`value.get(key, default)`; `value[key]` when the default is `Raises`. `key` is a text."""

    def read(one):
        if isinstance(one, Event):
            return Field((key,), default, exact=one.exact)
        if isinstance(one, Field):
            if one.case is not None or one.part is not None or one.as_text:
                return Raises()
            if isinstance(one.missing, Const) and not isinstance(one.missing.value, dict) or isinstance(one.missing, Raises):
                missing = default
            else:
                missing = over(one.missing, read)
                # The value exists, but the key does not.
                missing = missing if _is_same(missing, default) else Choice([(TRUE, missing), (TRUE, default)])
            return one.beneath((key,), missing)
        if isinstance(one, Element):
            return one.field.beneath((None, key), default).changed(default, many=True)
        if isinstance(one, Const):
            if type(one.value) is not dict:
                return Raises()
            return Const(one.value[key]) if key in one.value else default
        if isinstance(one, Entries):
            return one.items.get(key, default)
        if isinstance(one, (Truth, Several, Split, Raises)):
            return Raises()
        return one if type(one) is Value else UNKNOWN

    return over(value, read)


def _is_same(one, other):
    if one is other:
        return True
    return isinstance(one, Const) and isinstance(other, Const) and type(one.value) is type(other.value) and one.value == other.value


def deep_get(value, keys, default):
    """The event's `deep_get`, or a helper that does the same (`necessary_fold.py`)."""
    if isinstance(default, Const):
        # A walk continues inside a default that is an object.
        missing = UNKNOWN if type(default.value) is dict and default.value and len(keys) > 1 else default
    else:
        missing = default if len(keys) == 1 else UNKNOWN

    def read(one):
        if isinstance(one, Event):
            return Field(tuple(keys), missing, exact=one.exact, null_is_missing=True)
        if isinstance(one, Field) and one.case is None and one.part is None and not one.as_text:
            if isinstance(one.missing, (Const, Raises)) and not (isinstance(one.missing, Const) and type(one.missing.value) is dict and one.missing.value):
                return one.beneath(keys, missing, null_is_missing=True)
        if isinstance(one, Element):
            return one.field.beneath((None, *keys), missing, null_is_missing=True).changed(missing, many=True)
        if isinstance(one, Const) and (one.value is None or one.value == {}):
            return missing
        return UNKNOWN

    return over(value, read)


def deep_walk(keys, options):
    """
    The event's `deep_walk`: some of what is found on all ways through lists, or a list of it. A default that is neither null
    nor a text nor empty is found beside other things, and makes a list of things that count as nothing count.
    """
    default = options.get("default", NONE)
    wanted = options.get("return_val", Const("all"))
    if options.keys() - {"default", "return_val"} or not isinstance(wanted, Const) or wanted.value not in ("all", "first", "last"):
        return UNKNOWN
    if not isinstance(default, Const) or not (default.value is None or type(default.value) is str or default.value == []):
        return UNKNOWN
    if not keys or not all(isinstance(key, Const) and type(key.value) is str for key in keys):
        return UNKNOWN
    return Field(tuple(key.value for key in keys), default, exact=True, many=True, walked=True)


def index_of(value, key):
    """`value[key]` with a key of any kind."""
    if isinstance(key, Const) and type(key.value) is str:
        return key_of(value, key.value, Raises())

    def read(one):
        if type(one) is Value:
            return one
        if isinstance(one, Const):
            if isinstance(key, Const):
                return constant(lambda: operator.getitem(one.value, key.value))
            if type(one.value) is dict:
                return table(one.value, key, Raises())
        if isinstance(one, Entries):
            return table(one.items, key, Raises())
        if isinstance(one, Several) and isinstance(key, Const):
            return one.items[key.value] if type(key.value) is int and -len(one.items) <= key.value < len(one.items) else UNKNOWN
        if isinstance(one, Split) and isinstance(key, Const) and type(key.value) is int:
            return part_of(one.field, {0: "prefix", -1: "suffix"}.get(key.value, "some"), index_of(one.missing, key))
        if isinstance(one, Field) and isinstance(key, Const) and type(key.value) is int:
            return _element(one)
        return UNKNOWN

    return over(value, read)


def table(entries, key, default):
    """A constant dict read with a key that depends on the event."""
    if len(entries) > MAX_KEYS:
        return UNKNOWN
    branches = [
        (ask(key, "equals", entry)[0], value if isinstance(value, Value) else Const(value)) for entry, value in entries.items()
    ]
    none = both(*(ask(key, "equals", entry)[1] for entry in entries))
    return Choice([*branches, (none, default)])


def _element(field):
    """A member of the field's value; its default has none, or nothing is known."""
    if field.case is not None or field.part is not None or field.as_text:
        return UNKNOWN
    if isinstance(field.missing, Raises) or isinstance(field.missing, Const) and not field.missing.value:
        return Element(field)
    return UNKNOWN


def members(value):
    """What a loop over the value meets: a list of values when all are known, else one value that stands for each."""
    if isinstance(value, Const):
        try:
            items = list(value.value)
        except TypeError:
            return []
        return [Const(item) for item in items]
    if isinstance(value, Several):
        return value.items
    if isinstance(value, Field):
        return _element(value)
    if isinstance(value, Lazy):
        return members(value.inner)
    if isinstance(value, Comprehended):
        return value.value
    if isinstance(value, Split):
        return part_of(value.field, "some")
    if isinstance(value, (Choice, Chain)):
        # `x or []`: what can be looped over at all is the field.
        found = [members(branch) for _, branch in value.branches]
        kept = [one for one in found if one != []]
        if len(kept) == 1 and isinstance(kept[0], Value):
            return kept[0]
    return UNKNOWN if isinstance(value, Data) else Value()


def method(value, name, arguments, keywords):
    """A method of data."""

    def read(one):
        if isinstance(one, Raises):
            return one
        if isinstance(one, Const):
            return _constant_method(one, name, arguments)
        if isinstance(one, Pattern) and name in ("search", "match", "fullmatch") and len(arguments) == 1:
            return found_in(one.texts, arguments[0])
        if isinstance(one, Entries) and name == "get" and arguments and not isinstance(arguments[0], Const):
            return table(one.items, arguments[0], arguments[1] if len(arguments) > 1 else NONE)
        if name == "get" and arguments and isinstance(arguments[0], Const) and type(arguments[0].value) is str:
            return key_of(one, arguments[0].value, keywords.get("default", arguments[1] if len(arguments) > 1 else NONE))
        if isinstance(one, Field):
            return _field_method(one, name, arguments)
        return UNKNOWN

    return over(value, read)


def found_in(texts, subject):
    """The result of a regular expression search: a match object, or None."""
    return Choice([(both(*(ask(subject, "has", text)[0] for text in texts)), UNKNOWN), (TRUE, NONE)])


def _constant_method(one, name, arguments):
    if not hasattr(one.value, name):
        return Raises()
    if name not in _CONSTANT_METHODS.get(type(one.value), ()):
        return UNKNOWN
    if all(isinstance(argument, Const) for argument in arguments):
        return constant(lambda: getattr(one.value, name)(*(argument.value for argument in arguments)))
    if name == "get" and type(one.value) is dict:
        return table(one.value, arguments[0], arguments[1] if len(arguments) > 1 else NONE)
    return UNKNOWN


def _field_method(one, name, arguments):
    if name in ("keys", "values", "items") and not arguments and not (one.case or one.part or one.as_text):
        return View(one)
    if name in ("lower", "upper") and not arguments:
        if one.case not in (None, name) or one.as_text:
            return UNKNOWN
        return one.changed(method(one.missing, name, [], {}), case=name)
    if name in ("strip", "lstrip", "rstrip") and not one.as_text:
        return part_of(one, "some", method(one.missing, name, arguments, {}))
    if name in ("split", "rsplit") and not one.as_text and _splits(arguments):
        return Split(one, method(one.missing, name, arguments, {}))
    if name in ("startswith", "endswith") and len(arguments) == 1 and isinstance(arguments[0], Const):
        wanted = arguments[0].value
        if isinstance(wanted, str) or isinstance(wanted, tuple) and all(isinstance(text, str) for text in wanted):
            return Truth(ask(one, "starts" if name == "startswith" else "ends", wanted))
    return UNKNOWN


def _splits(arguments):
    return len(arguments) in (1, 2) and isinstance(arguments[0], Const) and type(arguments[0].value) is str


_OPERATORS = {"Add": operator.add, "BitOr": operator.or_, "BitAnd": operator.and_, "Sub": operator.sub}


def operate(name, left, right):
    """Joining constants; nothing else is worked out."""
    if name not in _OPERATORS or not isinstance(left, Const) or not isinstance(right, Const):
        return UNKNOWN
    sized = (str, list, tuple, set, frozenset, dict)
    if not isinstance(left.value, sized) or not isinstance(right.value, sized):
        return UNKNOWN
    if len(left.value) + len(right.value) > MAX_CONSTANT:
        return UNKNOWN
    return constant(lambda: _OPERATORS[name](left.value, right.value))


_MIRRORED = {"greater": "less", "less": "greater", "greaterOrEqual": "lessOrEqual", "lessOrEqual": "greaterOrEqual"}
_ORDERS = {"Gt": "greater", "GtE": "greaterOrEqual", "Lt": "less", "LtE": "lessOrEqual"}


def compare(name, left, right):
    """One comparison as (yes, no)."""
    if name in ("NotEq", "IsNot", "NotIn"):
        yes, no = compare({"NotEq": "Eq", "IsNot": "Is", "NotIn": "In"}[name], left, right)
        return no, yes
    if name == "Is" and not any(isinstance(side, Const) and (side.value is None or type(side.value) is bool) for side in (left, right)):
        return TRUE, TRUE
    if name in ("Eq", "Is"):
        question = "equals" if name == "Eq" else "same"
        if isinstance(right, Const):
            return ask(left, question, right.value)
        if isinstance(left, Const):
            return ask(right, question, left.value)
        return TRUE, TRUE
    if name == "In":
        return _contains(left, right)
    test = _ORDERS.get(name)
    if test and isinstance(right, Const):
        return ask(left, "order", right.value, test)
    if test and isinstance(left, Const):
        return ask(right, "order", left.value, _MIRRORED[test])
    return TRUE, TRUE


def _contains(left, right):
    if isinstance(right, Const):
        if isinstance(right.value, (str, list, tuple, set, frozenset, dict)):
            return ask(left, "among", right.value)
        return TRUE, TRUE
    if isinstance(right, Several):
        pairs = [compare("Eq", left, item) for item in right.items]
        return either(*(pair[0] for pair in pairs)), both(*(pair[1] for pair in pairs))
    if isinstance(left, Const):
        if isinstance(right, Event):
            if type(left.value) is not str:
                return TRUE, TRUE
            found = atom("exists", field={"kind": "path", "segments": [left.value], **({"exactCase": True} if right.exact else {})})
            return found, negate(found)
        return ask(right, "has", left.value)
    return TRUE, TRUE

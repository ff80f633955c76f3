"""Formulas of the condition IR (`src/model/condition/condition.ts`), kept small by a few laws of logic.

A formula is a tuple (kind, contents, number of tests): `atom` with the JSON text of a test, `not` with an atom, `and` and `or` with
formulas. It says what must hold for something to be so; TRUE says that nothing is known. A formula that grows too large is
replaced by a weaker one: only what came straight from `atom` may be negated.
"""

import json

TRUE = ("and", (), 0)
FALSE = ("or", (), 0)

# Hashing and writing a formula takes its size; what is larger than this is not worth looking up either.
MAX_SIZE = 400


def atom(op, **members):
    return ("atom", json.dumps({"op": op, **members}, separators=(",", ":"), sort_keys=True), 1)


def negate(formula):
    """The exact negation: only of what is itself exact."""
    kind = formula[0]
    if kind == "not":
        return formula[1]
    if kind == "atom":
        return ("not", formula, 1)
    parts = [negate(part) for part in formula[1]]
    return both(*parts) if kind == "or" else either(*parts)


def both(*parts):
    return _join("and", "or", parts)


def either(*parts):
    return _join("or", "and", parts)


def _join(kind, other, parts):
    """And: TRUE is nothing, FALSE is all. Or: the other way round."""
    absorbing = (other, (), 0)
    kept = {}
    for part in parts:
        for one in part[1] if part[0] == kind else (part,):
            if one == absorbing or _opposite(one) in kept:
                return absorbing
            kept[one] = None
    members = [one for one in kept if not (one[0] == other and any(inner in kept for inner in one[1]))]
    if len(members) == 1:
        return members[0]
    size = sum(one[2] for one in members)
    if size > MAX_SIZE:
        # One of too many: nothing is known. All of too many: the short ones are necessary too.
        if kind == "or":
            return TRUE
        members.sort(key=lambda one: one[2])
        while size > MAX_SIZE:
            size -= members.pop()[2]
        return _join(kind, other, members)
    return (kind, tuple(members), size)


def _opposite(formula):
    return formula[1] if formula[0] == "not" else ("not", formula, 1)


def to_json(formula):
    """The condition IR as JSON text."""
    kind, inner, _size = formula
    if not inner:
        return '{"op":"always","value":%s}' % ("true" if kind == "and" else "false")
    if kind == "atom":
        return inner
    if kind == "not":
        return '{"op":"not","of":%s}' % to_json(inner)
    # Short parts first: they are tried in this order, and most events fail early.
    return '{"op":"%s","of":[%s]}' % (kind, ",".join(to_json(part) for part in sorted(inner, key=lambda part: part[2])))

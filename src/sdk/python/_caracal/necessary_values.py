"""The possible values of an expression in a rule, as far as they are known without running it.
"""

from _caracal.necessary_formula import TRUE, atom, negate

class Value:
    """Nothing is known."""


class Data(Value):
    """Nothing is known but that it is plain data or an object of a library: its methods leave no trace."""


class Raises(Value):
    """Getting here raises."""


class Event(Value):
    """The argument of a rule's function. `exact`: a plain dict, whose keys are case-sensitive."""

    def __init__(self, exact=False):
        self.exact = exact


class Const(Value):
    """A value that never changes, or a container that is never changed."""

    def __init__(self, value):
        self.value = value


class Several(Value):
    """A list, tuple or set display, or what a loop over constants runs through."""

    def __init__(self, items):
        self.items = items


class Choice(Value):
    """One of several values, each with what must hold for it to be that one."""

    def __init__(self, branches):
        self.branches = branches


class Truth(Value):
    """A boolean: what must hold for it to be true, and to be false."""

    def __init__(self, pair):
        self.pair = pair


class Chain(Value):
    """`a and b`, `a or b`: as a truth value, and as the resulting value."""

    def __init__(self, pair, branches, are_booleans):
        self.pair = pair
        self.branches = branches
        self.are_booleans = are_booleans


class Field(Value):
    """
    A field's value. `missing`: what takes its place when there is none; `null_is_missing`: and when it is null.
    `many`: one element's of a list; which one is not known. `loose`: behind a name of the data model, whose case counts, come names
    whose case does not; the path, in any case, finds the value whenever there is one. `walked`: lists on the way are gone through,
    and it is some of the values found, or a list of them. `case`: `lower` or `upper` of the text; `part`: some part of it.
    """

    def __init__(self, segments, missing, exact=False, null_is_missing=False, many=False, loose=False, case=None, part=None, as_text=False, is_mapped=False, walked=False):
        self.segments = segments
        self.missing = missing
        self.exact = exact
        self.null_is_missing = null_is_missing
        self.many = many
        self.loose = loose
        self.case = case
        self.part = part
        self.as_text = as_text
        self.is_mapped = is_mapped
        self.walked = walked

    def beneath(self, segments, missing, **changes):
        """The field of a name in this one's value."""
        # Of a plain dict names keep their case all the way; what the data model gives is wrapped.
        loose = self.loose or self.is_mapped
        if self.walked:
            segments = [segment for segment in segments if segment is not None]
        return Field(
            (*self.segments, *segments), missing, exact=self.exact and not loose, many=self.many, loose=loose, walked=self.walked, **changes
        )

    def changed(self, missing, **changes):
        state = {name: value for name, value in vars(self).items() if name not in ("segments", "missing")}
        return Field(self.segments, missing, **{**state, **changes})

    def field(self):
        field = {"kind": "path", "segments": list(self.segments)}
        if self.walked:
            field["walk"] = True
        elif self.exact:
            field["exactCase"] = True
        return field

    def is_missing(self):
        if self.many or self.loose:
            return TRUE
        if self.null_is_missing:
            return atom("null", field=self.field())
        return negate(atom("exists", field=self.field()))

    def is_present(self):
        return TRUE if self.many or self.loose else negate(self.is_missing())


class Element(Value):
    """A member met on the way through a field: of a list an element, of a text a character, of an object a key."""

    def __init__(self, field):
        self.field = field


class Comprehended(Value):
    """Of a comprehension that is not unrolled: what must hold for it to have a member, and what one is worth."""

    def __init__(self, condition, value):
        self.condition = condition
        self.value = value


class Lazy(Value):
    """A generator over the items of `inner`; always true."""

    def __init__(self, inner):
        self.inner = inner


class Entries(Value):
    """A dict display with constant keys and values of any kind."""

    def __init__(self, items):
        self.items = items


class Pattern(Value):
    """A compiled regular expression; each of its matches contains the texts."""

    def __init__(self, texts):
        self.texts = texts


class View(Value):
    """The keys, values or items of an object: some when the object is not empty."""

    def __init__(self, owner):
        self.owner = owner


class Split(Value):
    """The pieces of a field's text, and those of its default."""

    def __init__(self, field, missing):
        self.field = field
        self.missing = missing

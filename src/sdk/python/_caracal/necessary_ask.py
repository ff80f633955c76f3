"""The conditions for a test of a value to be true, and to be false.

`ask(value, question)` gives a pair of formulas: what must hold for the answer to be yes, and for it to be no. Neither says
that it is so: an exception is neither. What is not understood is (TRUE, TRUE).
"""

import math

from _caracal.necessary_formula import FALSE, TRUE, atom, both, either, negate
from _caracal.necessary_values import Chain, Choice, Comprehended, Const, Data, Element, Field, Raises, Several, Split, Truth, View

UNSURE = (TRUE, TRUE)
NEVER = (FALSE, FALSE)
YES = (TRUE, FALSE)
NO = (FALSE, TRUE)

# Python reads integers of any size; beyond this JavaScript reads another number.
MAX_EXACT = 2**53 - 1
MAX_MEMBERS = 300


def is_scalar(value):
    """A value that the condition IR can represent and that compares there as it does here."""
    kind = type(value)
    if kind is str:
        return not any(0xD800 <= ord(character) < 0xE000 for character in value)
    if kind is int:
        return -MAX_EXACT <= value <= MAX_EXACT
    if kind is float:
        return math.isfinite(value)
    return kind is bool or value is None


def ask(value, question, *arguments):
    """(yes, no). Questions: truthy, equals c, same c (`is`), among container, has c (`c in value`), starts texts, ends texts, order test c."""
    if isinstance(value, Const):
        try:
            return YES if _answer(value.value, question, *arguments) else NO
        except Exception:
            return NEVER
    if isinstance(value, Raises):
        return NEVER
    if isinstance(value, (Choice, Chain)):
        if isinstance(value, Chain) and question == "truthy":
            return value.pair
        pairs = [(condition, ask(branch, question, *arguments)) for condition, branch in value.branches]
        return (
            either(*(both(condition, pair[0]) for condition, pair in pairs)),
            either(*(both(condition, pair[1]) for condition, pair in pairs)),
        )
    if isinstance(value, Truth):
        return _ask_truth(value, question, *arguments)
    if isinstance(value, Field):
        return _ask_field(value, question, *arguments)
    if isinstance(value, Element):
        return _ask_element(value.field, question, *arguments)
    if isinstance(value, Split):
        if question == "has" and type(arguments[0]) is str and arguments[0]:
            return _ask_field(part_of(value.field, "some"), "has", arguments[0])[0], TRUE
        return UNSURE
    if isinstance(value, View) and question == "truthy":
        return ask(value.owner, "truthy")
    if isinstance(value, Comprehended) and question == "truthy":
        return value.condition, TRUE
    if isinstance(value, Several):
        return _ask_several(value, question, *arguments)
    return UNSURE


def _answer(value, question, other=None, test=None):
    if question == "truthy":
        return bool(value)
    if question == "equals":
        return value == other
    if question == "same":
        return value is other if other is None or type(other) is bool else value == other
    if question == "among":
        return value in other
    if question == "has":
        return other in value
    if question == "starts":
        return value.startswith(other)
    if question == "ends":
        return value.endswith(other)
    return {
        "greater": lambda: value > other,
        "greaterOrEqual": lambda: value >= other,
        "less": lambda: value < other,
        "lessOrEqual": lambda: value <= other,
    }[test]()


def _ask_truth(value, question, other=None, *_rest):
    yes, no = value.pair
    if question == "truthy":
        return value.pair
    if question == "equals" or question == "same":
        alike = (lambda truth: truth == other) if question == "equals" else (lambda truth: truth is other)
    elif question == "among":
        try:
            holds = {truth: truth in other for truth in (True, False)}
        except TypeError:
            return NEVER
        alike = holds.__getitem__
    else:
        return UNSURE
    pairs = [(yes, alike(True)), (no, alike(False))]
    return either(*(when for when, it_is in pairs if it_is)), either(*(when for when, it_is in pairs if not it_is))


def _ask_several(value, question, other=None, *_rest):
    if question == "truthy":
        return YES if value.items else NO
    if question == "has":
        pairs = [ask(item, "equals", other) for item in value.items]
        return either(*(pair[0] for pair in pairs)), both(*(pair[1] for pair in pairs))
    return UNSURE


def _ask_field(field, question, *arguments):
    """The field's own answer if it exists, otherwise that of its default."""
    yes, no = _FIELD_QUESTIONS[question](field, *arguments)
    missing_yes, missing_no = missing = ask(field.missing, question, *arguments)
    if field.null_is_missing and question in ("equals", "same", "among"):
        # A null that counts as missing passes the tests that ask for null.
        yes, no = both(field.is_present(), yes), TRUE if no == TRUE else either(field.is_missing(), no)
    if field.many:
        no = TRUE
    if missing == NO and not field.loose:
        # A test of the IR does not hold for a missing field: its negation does.
        return yes, no
    away = field.is_missing()
    if no != TRUE or missing_no == FALSE:
        no = both(field.is_present(), no)
    return either(yes, both(away, missing_yes)), either(no, both(away, missing_no))


def _exact(test):
    return test, negate(test)


def _is_plain(field):
    return field.case is None and field.part is None and not field.as_text


def _compare(field, test, value, fold=False):
    members = {"test": test, "field": field.field(), "value": value}
    if fold:
        members["ignoreCase"] = True
    return atom("compare", **members)


def _is_foldable(field, text):
    """A text that the field can be, in the case it has been given."""
    return text.isascii() and text == (text.lower() if field.case == "lower" else text.upper())


def _text_test(field, test, texts):
    """`equals`, `contains`, `starts`, `ends` with one of several texts, as the field's case and part allow."""
    if not all(type(text) is str and is_scalar(text) for text in texts):
        return UNSURE
    if field.as_text:
        return UNSURE
    if field.part is not None:
        if any(not text for text in texts):
            return UNSURE
        whole = {("prefix", "equals"): "starts", ("prefix", "starts"): "starts", ("suffix", "equals"): "ends", ("suffix", "ends"): "ends"}
        test = whole.get((field.part, test), "contains")
    if field.case is None:
        return _any(field, test, texts, False)
    if not all(text.isascii() for text in texts):
        return UNSURE
    fitting = [text for text in texts if _is_foldable(field, text)]
    if field.case == "lower":
        return _any(field, test, fitting, True)
    # Some letters beyond ASCII have an upper case in ASCII (`ß`, `ﬁ`): of texts with any such letter nothing is known.
    return either(_any(field, test, fitting, True)[0], atom("beyondAscii", field=field.field())), TRUE


def _any(field, test, texts, fold):
    if test == "equals" and len(texts) > 1:
        members = {"field": field.field(), "values": list(texts)}
        found = atom("in", **members, ignoreCase=True) if fold else atom("in", **members)
    else:
        found = either(*(_compare(field, test, text, fold) for text in texts))
    # Of too many texts nothing is known: that has no negation.
    return found, TRUE if field.part is not None or found == TRUE else negate(found)


def _truthy(field):
    if not _is_plain(field):
        if field.as_text or field.part is not None:
            return UNSURE
        found = negate(atom("nullOrEmpty", field=field.field()))
        return _exact(found)
    filled = negate(atom("nullOrEmpty", field=field.field()))
    if field.many:
        # Of another element than the one that counts, zero says nothing.
        return filled, TRUE
    return _exact(both(filled, negate(atom("in", field=field.field(), values=[0]))))


def _equals(field, other):
    if not is_scalar(other):
        # A list of the event equals a tuple or list of the rule.
        return (atom("exists", field=field.field()), TRUE) if _is_plain(field) else UNSURE
    if field.as_text:
        return _printed(field, [other])
    if not _is_plain(field):
        return _text_test(field, "equals", [other]) if type(other) is str else NO
    return _exact(_compare(field, "equals", other))


def _printed(field, texts):
    """`str(field)` is one of the texts: a text itself, or a number, truth or null that is printed so; containers are not looked into."""
    if field.case or field.part:
        return UNSURE
    values = []
    for text in texts:
        if type(text) is not str:
            continue
        if text.startswith(("Immutable", "[", "{")):
            return UNSURE
        values.append(text)
        if text in ("True", "False", "None"):
            values.append({"True": True, "False": False, "None": None}[text])
        try:
            number = float(text)
        except ValueError:
            continue
        if not is_scalar(number) or abs(number) > MAX_EXACT:
            return UNSURE
        values.append(int(number) if number == int(number) else number)
    return (atom("in", field=field.field(), values=values), TRUE) if values else NO


def _same(field, other):
    if other is None:
        return _exact(_compare(field, "equals", None)) if _is_plain(field) else NO
    # `1 == True`, but `1 is not True`.
    return _equals(field, other)[0], TRUE


def _among(field, container):
    if isinstance(container, str):
        # A part of the constant.
        return atom("exists", field=field.field()), TRUE
    members = list(container)
    if field.as_text:
        return _printed(field, members) if len(members) <= MAX_MEMBERS else UNSURE
    if len(members) > MAX_MEMBERS * 10 or not all(is_scalar(member) for member in members):
        return (atom("exists", field=field.field()), TRUE) if _is_plain(field) else UNSURE
    if not _is_plain(field):
        return _text_test(field, "equals", [member for member in members if type(member) is str])
    if not members:
        return NO
    return _exact(atom("in", field=field.field(), values=sorted(members, key=repr)))


def _has(field, other):
    if not _is_plain(field):
        return _text_test(field, "contains", [other])
    if not is_scalar(other):
        return atom("exists", field=field.field()), TRUE
    found = _compare(field, "contains", other)
    # The IR finds keys of an object in any case: a plain dict does not.
    return found, TRUE if field.exact else negate(found)


def _starts(field, texts):
    return _text_test(field, "starts", texts if isinstance(texts, tuple) else (texts,))


def _ends(field, texts):
    return _text_test(field, "ends", texts if isinstance(texts, tuple) else (texts,))


def _order(field, other, test):
    if not _is_plain(field) or not is_scalar(other) or other is None:
        return UNSURE
    return _exact(_compare(field, test, other))


_FIELD_QUESTIONS = {
    "truthy": _truthy,
    "equals": _equals,
    "same": _same,
    "among": _among,
    "has": _has,
    "starts": _starts,
    "ends": _ends,
    "order": _order,
}


def _ask_element(field, question, *arguments):
    """Only equality: of an element, a character or a key alike it means that the whole contains it."""
    if not _is_plain(field) or not isinstance(field.missing, (Const, Raises)):
        return UNSURE
    if isinstance(field.missing, Const) and field.missing.value:
        return UNSURE
    if question == "equals":
        wanted = [arguments[0]]
    elif question == "among" and not isinstance(arguments[0], str):
        wanted = list(arguments[0])
    else:
        return UNSURE
    if len(wanted) > MAX_MEMBERS or not all(is_scalar(one) for one in wanted):
        return UNSURE
    # An empty default of `deep_walk` may be among what was found.
    if field.walked and "" in wanted:
        return UNSURE
    tests = ("contains", "equals") if field.walked else ("contains",)
    return either(*(_compare(field, test, one) for one in wanted for test in tests)), TRUE


def part_of(field, part, missing=None):
    """Some part of a text; a part of a part is somewhere. `missing`: that part of its default."""
    return field.changed(missing or Data(), part=part if field.part in (None, part) else "some")

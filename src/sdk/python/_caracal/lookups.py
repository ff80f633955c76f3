"""`event.lookup` while the engine judges: the host has the tables. It takes a question from stdout and has the answer on stdin."""

from os import read, write

from panther_core.immutable import plain, wrap

from _caracal import wire
from _caracal.limits import FUNCTIONS, mark

MAX_QUESTION = 64 * 1024

# More rows than these are not recorded in a match.
MAX_NOTED = 20

_PART = 64 * 1024

# The last call that asked, as an event and a rule, and what it asked.
_call = -1
_noted = {}


def find(table, key):
    """The row, or None if the table has none for this key. Raises LookupError when the host cannot answer, for an unknown table for one."""
    global _call, _noted
    if type(table) is not str:
        raise TypeError(f"lookup: the name of a table is a string, not {type(table).__name__}")
    question = wire.strict([table, plain(key)])
    if len(question) > MAX_QUESTION:
        raise ValueError(f"lookup: a key of {len(question)} characters is longer than {MAX_QUESTION}")
    write(1, b"?" + question.encode("ascii"))
    parts = []
    while part := read(0, _PART):
        parts.append(part)
    answer = wire.loads(str(b"".join(parts), "utf-8"))
    if "problem" in answer:
        raise LookupError(f"lookup: {answer['problem']}")
    call = (mark[0] - 1) // FUNCTIONS
    if call != _call:
        _call = call
        _noted = {}
    if len(_noted) < MAX_NOTED:
        _noted[question] = None
    row = answer["row"]
    return None if row is None else wrap(row)


def noted(here):
    """The questions of the call that this mark belongs to: a list of `[table, key]` as text."""
    return list(_noted) if (here - 1) // FUNCTIONS == _call else ()


def forget():
    """Another batch begins: its calls have the same marks."""
    global _call
    _call = -1

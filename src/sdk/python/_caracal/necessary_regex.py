"""Texts that every match of a regular expression contains."""

import re
from re import _constants as op
from re import _parser as parser

MAX_PATTERN = 10_000
MIN_LENGTH = 3
MAX_TEXTS = 4


def texts_of(pattern):
    """The longest ones, none when nothing is certain. The pattern is parsed, never run."""
    if len(pattern) > MAX_PATTERN:
        return []
    try:
        parsed = parser.parse(pattern)
    except (re.error, RecursionError, OverflowError):
        return []
    if parsed.state.flags & re.IGNORECASE:
        return []
    found = []
    _collect(parsed, [], found)
    return sorted({text for text in found if len(text) >= MIN_LENGTH}, key=lambda text: (-len(text), text))[:MAX_TEXTS]


def _collect(sequence, run, found):
    """Adds the unbroken runs of characters; the current run continues into a group and out of it."""
    for kind, argument in sequence:
        if kind is op.LITERAL:
            run.append(chr(argument))
        elif kind is op.SUBPATTERN and not argument[1] and not argument[2]:
            _collect(argument[3], run, found)
            continue
        else:
            _end(run, found)
            # A part that is repeated at least once occurs once.
            if kind in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT) and argument[0] >= 1:
                inner = []
                _collect(argument[2], inner, found)
                _end(inner, found)
    # A run so far is certain too, although it may continue after the group.
    if run:
        found.append("".join(run))


def _end(run, found):
    if run:
        found.append("".join(run))
        run.clear()

"""Splits a text into the tokens of a date: words, numbers and single characters."""

import re

_WORD = r"[^\W\d_]+"
_DOTTED = rf"(?:\.(?:{_WORD}|\d+|))"
# A comma is a decimal point after two digits or more: `10:00:00,123`, but not `May 5, 2021`.
_TOKEN = re.compile(rf"{_WORD}{_DOTTED}*|\d{{2,}},\d*{_DOTTED}*|\d+{_DOTTED}*|.", re.DOTALL)
_POINT = re.compile(r"([.,])")
# Like the package, does not split a number from a single letter at the very end: `10:00.Z` is not a date.
_LAST = re.compile(r"\d+\.[^\W\d_]")


def tokens_of(text):
    """The tokens in order; each white space character becomes a space."""
    tokens = []
    found = _TOKEN.findall(text.replace("\0", ""))
    last = found.pop() if found and _LAST.fullmatch(found[-1]) else None
    for token in found:
        if len(token) == 1:
            tokens.append(" " if token.isspace() else token)
        elif "." not in token and "," not in token:
            tokens.append(token)
        elif token.count(".") > 1 or token[-1] in ".," or any(map(str.isalpha, token)):
            # `10.09.2003`, `a.m.`: the dots separate.
            tokens.extend(part for part in _POINT.split(token) if part)
        else:
            tokens.append(token if "." in token else token.replace(",", "."))
    if last:
        tokens.append(last)
    return tokens

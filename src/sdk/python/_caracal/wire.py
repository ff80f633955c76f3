"""JSON in and out of the engine, by the C functions alone: a rule that changes the classes of `json` does not change what is said."""

from _json import encode_basestring, encode_basestring_ascii, make_encoder, make_scanner
from json import JSONDecoder, JSONDecodeError


_join = "".join


def _refuse(value):
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def encoder(default, is_ascii, is_compact, allow_nan):
    """`json.dumps` with these: ensure_ascii, the separators without blanks, allow_nan. `default` as there."""
    strings = encode_basestring_ascii if is_ascii else encode_basestring
    colon, comma = (":", ",") if is_compact else (": ", ", ")

    def encode(value):
        # The first argument is where it notes what it is inside of, to find circles.
        return _join(make_encoder({}, default, strings, None, colon, comma, False, False, allow_nan)(value, 0))

    return encode


# ASCII text: everything beyond is escaped, so lone surrogates travel too.
dumps = encoder(_refuse, True, True, True)
# The same without NaN and infinity, which only Python reads.
strict = encoder(_refuse, True, True, False)
_scan = make_scanner(JSONDecoder())
_Error = JSONDecodeError


def loads(text):
    """Raises ValueError as `json.loads` does."""
    text = text.strip(" \t\n\r")
    try:
        value, end = _scan(text, 0)
    except StopIteration as stop:
        raise _Error("Expecting value", text, stop.value) from None
    if end != len(text):
        raise _Error("Extra data", text, end)
    return value

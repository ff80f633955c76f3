"""The allowed return values of each function of a rule, their limits, and the fallback if it fails."""

from collections.abc import Mapping
from math import isfinite

from panther_core.exceptions import FunctionReturnTypeError
from panther_core.immutable import ImmutableCaseInsensitiveDict, ImmutableList

from _caracal import wire
from _caracal.messages import cut_name

MAX_TEXT = 1000
MAX_DESTINATIONS = 10
MAX_CONTEXT = 200 * 1024
CUT = "... (truncated)"
SEVERITIES = ("INFO", "LOW", "MEDIUM", "HIGH", "CRITICAL")

# The order in which they run after `rule`; a function's place here + 1 is its number in a mark.
ORDER = (
    "title",
    "description",
    "reference",
    "severity",
    "runbook",
    "destinations",
    "dedup",
    "alert_context",
    "unique",
)

# Functions whose text is cut at MAX_TEXT.
FUNCTIONS_WITH_TEXT = frozenset(("title", "description", "reference", "runbook", "dedup"))


def _unwrapped(value):
    """The content of a read-only container, not copied because the encoder only reads it. Refuses everything else."""
    if isinstance(value, (ImmutableCaseInsensitiveDict, ImmutableList)):
        return value._container
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


_dumps = wire.encoder(_unwrapped, is_ascii=True, is_compact=False, allow_nan=False)
_dumps_unicode = wire.encoder(_unwrapped, is_ascii=False, is_compact=False, allow_nan=False)
_dumps_all = wire.encoder(_unwrapped, is_ascii=True, is_compact=False, allow_nan=True)


def wrong_type(rule_id, function, value, expected):
    """The error for a value of the wrong type."""
    what = "a list" if expected == "list" else f"[{expected}]"
    return FunctionReturnTypeError(
        f"detection [{rule_id}] function [{function}] returned [{cut_name(type(value).__name__)}], expected {what}"
    )


def to_json(value):
    """Exact JSON text; (text, length as the limit counts it: with everything beyond ASCII escaped)."""
    try:
        text = _dumps(value)
    except ValueError:
        # JSON has no NaN and no Infinity: one of them must not cost the rest.
        text = _dumps(_finite(wire.loads(_dumps_all(value))))
    return (_dumps_unicode(value) if "\\u" in text else text), len(text)


def _finite(value):
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return str(value) if isinstance(value, float) and not isfinite(value) else value


def cut(text):
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - len(CUT)] + CUT


def check_text(rule_id, function, value):
    if type(value) is str:
        return value
    if not isinstance(value, str):
        raise wrong_type(rule_id, function, value, "str")
    # Not what a subclass makes of itself.
    return str.__str__(value)


def check_severity(rule_id, _function, value):
    text = check_text(rule_id, "severity", value).upper()
    if text != "DEFAULT" and text not in SEVERITIES:
        expected = ", ".join(SEVERITIES)
        raise ValueError(f"detection [{rule_id}] function [severity] returned [{text[:100]}], expected one of {expected}, DEFAULT")
    return text


def check_destinations(rule_id, _function, value):
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(item, (str, bool)) for item in value):
        raise wrong_type(rule_id, "destinations", value, "list")
    return [cut(str.__str__(item)) if isinstance(item, str) else str(item) for item in value[:MAX_DESTINATIONS]] or ["SKIP"]


def check_unique(rule_id, _function, value):
    """Nothing to count is no error. Of a very long text the beginning counts."""
    return None if value is None else check_text(rule_id, "unique", value)[:MAX_CONTEXT]


def check_context(rule_id, _function, value):
    """The JSON text of an alert context, or of the reason why it cannot be stored."""
    if type(value) is not dict and not isinstance(value, Mapping):
        raise wrong_type(rule_id, "alert_context", value, "Mapping")
    text, size = to_json(value)
    if size > MAX_CONTEXT:
        error = f"alert_context size is [{size}] characters, bigger than maximum of [{MAX_CONTEXT}] characters"
        return _dumps({"_error": error})
    return text


def context_error(text):
    return _dumps({"_error": text})


CHECKS = {
    "title": check_text,
    "description": check_text,
    "reference": check_text,
    "severity": check_severity,
    "runbook": check_text,
    "destinations": check_destinations,
    "dedup": check_text,
    "alert_context": check_context,
    "unique": check_unique,
}

"""The key-value cache of rules: counters, sets of strings and dictionaries by key, shared by all rules.

What a batch of events writes is kept together with the alerts it makes, or not at all. An entry is gone as soon as it has
expired, whether or not `force_ttl_check` is given. In unit tests every test begins with an empty cache.
"""

import json
import time
from collections.abc import Iterable, Mapping

from panther_core.immutable import json_encoder

from _caracal.cache import table as _table

_NINETY_DAYS = 90 * 24 * 3600
# A smaller number is a time from now, a larger one a point in time (2001 and later).
_FIRST_EPOCH = 1_000_000_000


def _expiry(epoch_seconds):
    try:
        seconds = int(float(epoch_seconds))
    except (TypeError, ValueError, OverflowError):
        seconds = _NINETY_DAYS
    return seconds if seconds >= _FIRST_EPOCH else int(time.time()) + seconds


def _strings(val):
    strings = frozenset([val] if isinstance(val, str) else val)
    for item in strings:
        if not isinstance(item, str):
            raise TypeError(f"a string set holds strings, not {type(item).__name__}")
    return strings


def kv_table():
    """The table behind the functions below; its own interface is not to be relied on."""
    return _table()


def ttl_expired(response):
    """Whether an item as the hosted service stores it has expired."""
    expires = (response or {}).get("Item", {}).get("expiresAt")
    return bool(expires) and float(expires) < time.time()


def get_counter(key, force_ttl_check=False):
    """The counter, or 0."""
    entry = _table().get(key)
    return (entry.counter if entry else None) or 0


def increment_counter(key, val=1, epoch_seconds=_NINETY_DAYS):
    """Adds to the counter, which restarts at 0 once it has expired; returns its new value."""
    value = get_counter(key) + int(val)
    _table().change(key, counter=value, expires=_expiry(epoch_seconds))
    return value


def reset_counter(key):
    """Removes the counter."""
    _table().change(key, counter=None)


def set_key_expiration(key, epoch_seconds):
    """When the entry expires: seconds from now, or a point in time."""
    if _table().get(key):
        _table().change(key, expires=_expiry(epoch_seconds))


def get_string_set(key, force_ttl_check=False):
    """The set, or an empty one."""
    entry = _table().get(key)
    return set(entry.strings or ()) if entry else set()


def put_string_set(key, val, epoch_seconds=None):
    """Replaces the set; an empty one removes it."""
    if not val:
        reset_string_set(key)
        return
    if not isinstance(val, Iterable):
        raise TypeError(f"a string set is made of several strings, not of {type(val).__name__}")
    _table().change(key, strings=_strings(frozenset(val)), expires=_expiry(_NINETY_DAYS if epoch_seconds is None else epoch_seconds))


def add_to_string_set(key, val, epoch_seconds=_NINETY_DAYS):
    """Adds one or several strings; returns the new set."""
    current = get_string_set(key)
    if not val:
        return current
    strings = _strings(val) | current
    _table().change(key, strings=strings, expires=_expiry(epoch_seconds))
    return set(strings)


def remove_from_string_set(key, val, epoch_seconds=_NINETY_DAYS):
    """Removes one or several strings; returns the new set."""
    current = get_string_set(key)
    if not val or not current:
        return current
    strings = current - _strings(val)
    _table().change(key, strings=frozenset(strings) or None, expires=_expiry(epoch_seconds))
    return strings


def reset_string_set(key):
    """Removes the set."""
    _table().change(key, strings=None)


def put_dictionary(key, val, epoch_seconds=None):
    """Stores a mapping that JSON can represent. Raises TypeError or ValueError."""
    if not isinstance(val, Mapping):
        raise TypeError("panther_detection_helpers.caching.put_dictionary: the value is not a dictionary")
    try:
        text = json.dumps(dict(val), default=json_encoder)
    except (TypeError, ValueError) as error:
        raise ValueError(f"panther_detection_helpers.caching.put_dictionary: the value cannot be written as JSON: {error}") from error
    _table().change(key, dictionary=text, expires=_expiry(_NINETY_DAYS if epoch_seconds is None else epoch_seconds))


def get_dictionary(key, force_ttl_check=False):
    """The dictionary, or an empty one."""
    entry = _table().get(key)
    return json.loads(entry.dictionary) if entry and entry.dictionary is not None else {}


def evaluate_threshold(key, threshold=10, expiry_seconds=3600):
    """Counts a call; at the threshold returns True and restarts the count."""
    if increment_counter(key, epoch_seconds=expiry_seconds) < threshold:
        return False
    reset_counter(key)
    return True


def check_account_age(key):
    """True if the key's string set is not empty: the account is new."""
    return isinstance(key, str) and key != "" and bool(get_string_set(key, force_ttl_check=True))

"""The event that a rule's functions are called with."""

from collections.abc import Mapping

from dateutil import parser as date_parser

from panther_core.data_model import MISSING
from panther_core.exceptions import PantherError
from panther_core.immutable import _MISSING, ImmutableCaseInsensitiveDict, ImmutableList, find_key, plain, wrap

# In an event's cache of data model results: not looked up yet; the model does not map the name.
_UNKNOWN = object()
_UNMAPPED = object()
_CONSTANT = frozenset((str, int, float, bool, type(None), ImmutableCaseInsensitiveDict, ImmutableList))


# The engine's own events have `2024-04-19T10:00:00Z`, the hosted service's `2024-04-19 10:00:00.000000000`; to the latter's
# event object the former is no time, which unit tests may rely on. True while the engine judges.
engine_times = False

# While the engine has tables to read, a function of a table's name and a key: the row, or None if the table has no such key.
engine_lookup = None


class PantherEvent(ImmutableCaseInsensitiveDict):
    """A read-only event with the look-ups that rules rely on."""

    __slots__ = ("data_model", "_lower", "_udm")

    def __init__(self, event=None, data_model=None):
        super().__init__(event)
        self.data_model = data_model
        self._lower = None
        self._udm = None

    def _find(self, key):
        lower = self._lower
        container = self._container
        if lower is None:
            if not container:
                return _MISSING
            lower = self._lower = _lower_keys(container)
        found = lower.get(key.lower(), _MISSING)
        return _MISSING if found is _MISSING else container[found]

    def deep_get(self, *keys, default=None):
        """Follows keys through nested objects, without regard to case; `default` when a step is missing or null."""
        value = self
        for key in keys:
            if value is None:
                # A missing value stays missing, unless the walk continues inside the default.
                if default is None:
                    return None
                value = default
                continue
            kind = type(value)
            if kind is dict:
                if key in value:
                    value = value[key]
                else:
                    found = find_key(value, key)
                    value = default if found is _MISSING else value[found]
            elif kind is PantherEvent:
                container = value._container
                if key in container:
                    value = container[key]
                else:
                    value = value._find(key)
                    if value is _MISSING:
                        value = default
            elif isinstance(value, Mapping):
                value = value.get(key, default)
            else:
                value = default
        return default if value is None or value is default else wrap(value)

    def deep_walk(self, *keys, default=None, return_val="all"):
        """Follows keys (case matters) through objects and lists; returns plain values, several as a list."""
        result = _walk(self._container, keys, default, return_val)
        return plain(result) if type(result) in (dict, list) else result

    def udm(self, *keys, default=None):
        """A field of the unified data model, by the event's data model, else from `p_udm`, else the event's own field."""
        model = self.data_model
        if model is not None and len(keys) == 1:
            name = keys[0]
            cache = self._udm
            if cache is None:
                cache = self._udm = {}
            value = cache.get(name, _UNKNOWN)
            if value is _UNKNOWN:
                value = model.value(self._container, name) if model.maps(name) else _UNMAPPED
                # Values that rules can change, such as a method's set, are copied for each rule.
                if value is _UNMAPPED or value is MISSING or type(value) in _CONSTANT:
                    cache[name] = value
            if value is MISSING:
                return default
            if value is not _UNMAPPED:
                return value
        return self.deep_get("p_udm", *keys) or self.deep_get(*keys) or default

    def udm_path(self, key):
        """Where the data model finds `key` in this event. Raises PantherError when no data model is bound."""
        model = self.data_model
        if model is None:
            raise PantherError(f"a data model hasn't been specified for log type: {self.get('p_log_type')}")
        return model.path(self._container, key)

    def lookup(self, lookup_name, lookup_key):
        """
        The row of a lookup table for a key, or None if the table has none. In unit tests the event's own `_mocked_lookup_data_`
        answers, unless the test has tables. Raises LookupError for an unknown table.
        """
        if engine_lookup is not None:
            return engine_lookup(lookup_name, lookup_key)
        return self.deep_get("_mocked_lookup_data_", lookup_name, lookup_key)

    def event_time_epoch(self, force_utc=True):
        """`p_event_time` in whole seconds since 1970, or 0 when it cannot be read."""
        text = self.get("p_event_time") or ""
        if force_utc and not (engine_times and text.endswith("Z")):
            text = f"{text} UTC"
        try:
            return int(date_parser.parse(text).timestamp())
        except (ValueError, OverflowError):
            return 0


# Tables of lower-case keys by an event's keys: events of one log type have few different sets of keys.
_shapes = {}
_MAX_SHAPES = 1000


def _lower_keys(container):
    shape = tuple(container)
    lower = _shapes.get(shape)
    if lower is None:
        lower = {}
        for key in shape:
            lower.setdefault(key.lower(), key)
        if len(_shapes) >= _MAX_SHAPES:
            _shapes.clear()
        _shapes[shape] = lower
    return lower


_new_event = PantherEvent.__new__


def event_of(container, data_model=None):
    """An event around a dict without other references, which saves the public constructor's copy."""
    event = _new_event(PantherEvent)
    event._container = container
    event.data_model = data_model
    event._lower = None
    event._udm = None
    return event


def _empty(value):
    return type(value) is list and all(_empty(item) for item in value)


def _walk(value, keys, default, return_val):
    if not keys:
        return default if value is None or _empty(value) else value
    kind = type(value)
    if kind is dict:
        return _walk(value.get(keys[0], default), keys[1:], default, return_val)
    if kind is not list:
        return default
    found = {}
    for item in value:
        result = _walk(item, keys, default, return_val)
        if result is None:
            continue
        if type(result) in (list, tuple):
            found.update(dict.fromkeys(result))
        else:
            found[result] = None
    if not found:
        return default
    results = list(found)
    chosen = {
        "first": results[0],
        "last": results[-1],
        "all": results[0] if len(results) == 1 else results,
    }
    return chosen.get(return_val, "all")

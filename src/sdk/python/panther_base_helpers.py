"""Helpers that many rules need: nested look-ups, addresses, patterns, times, texts."""

import base64
import binascii
import ipaddress
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from fnmatch import fnmatch

from dateutil import parser as date_parser

EMAIL_REGEX = re.compile(r"[a-zA-Z0-9._%+-]+@[a-zA-Z0-9.-]+\.[a-zA-Z]{2,}")
SEVERITY_LEVELS = {"INFO": 0, "LOW": 1, "MEDIUM": 2, "HIGH": 3, "CRITICAL": 4}


class PantherUnexpectedAlert(Exception):
    """A rule met a case that it declares impossible."""


def severity_greater_than(severity1, severity2):
    """True if the first severity is higher; unknown ones are the lowest."""
    return SEVERITY_LEVELS.get(severity1, -1) > SEVERITY_LEVELS.get(severity2, -1)


def deep_get(dictionary, *keys, default=None):
    """Follows keys through nested mappings; `default` when a step is missing or null."""
    value = dictionary
    for key in keys:
        value = value.get(key, default) if isinstance(value, Mapping) else default
    return default if value is None else value


def _is_sequence(value):
    return not isinstance(value, (str, bytes, Mapping)) and hasattr(value, "__getitem__") and hasattr(value, "__len__")


def _is_empty(value):
    return _is_sequence(value) and all(_is_empty(item) for item in value)


def deep_walk(obj, *keys, default=None, return_val="all"):
    """Follows keys through mappings and lists; several results as a list, or the `first` or `last` of them."""
    if not keys:
        return default if _is_empty(obj) else obj
    if isinstance(obj, Mapping):
        value = obj.get(keys[0])
        return default if value is None else deep_walk(value, *keys[1:], default=default, return_val=return_val)
    if not _is_sequence(obj):
        return default
    found = {}
    for item in obj:
        result = deep_walk(item, *keys, default=default, return_val=return_val)
        if result is None:
            continue
        if _is_sequence(result):
            found.update(dict.fromkeys(result))
        else:
            found[result] = None
    if not found:
        return default
    results = list(found)
    chosen = {"first": results[0], "last": results[-1], "all": results[0] if len(results) == 1 else results}
    return chosen.get(return_val, "all")


def get_val_from_list(list_of_dicts, return_field_key, field_cmp_key, field_cmp_val):
    """The set of one field's values over the entries whose other field has a value."""
    return {item.get(return_field_key) for item in list_of_dicts if item.get(field_cmp_key) == field_cmp_val}


def is_ip_in_network(ip_addr, networks):
    """True when any network holds the address. Raises ValueError: not an address."""
    return any(ipaddress.ip_address(ip_addr) in ipaddress.ip_network(network) for network in networks)


def pattern_match(string_to_match, pattern):
    """Shell-style match, case matters."""
    return fnmatch(string_to_match, pattern)


def pattern_match_list(string_to_match, patterns):
    """True when any shell-style pattern matches."""
    return any(fnmatch(string_to_match, pattern) for pattern in patterns)


def defang_ioc(ioc):
    """An address or URL, defanged so that nobody clicks it by accident."""
    return ioc.replace("http://", "hxxp://").replace("https://", "hxxps://").replace(".", "[.]")


def ioc_match(indicators, known_iocs):
    """The known indicators, as a list."""
    return [indicator for indicator in indicators or () if indicator in known_iocs]


def _nanotime(text, form):
    whole = re.match(r"(.*\.)(\d+)", text)
    return datetime.strptime(whole.group(1) + whole.group(2)[:6], form)


def panther_nanotime_to_python_datetime(panther_time):
    """`2024-01-01 00:00:00.123456789` as a naive datetime. Raises AttributeError: no fraction."""
    return _nanotime(panther_time, "%Y-%m-%d %H:%M:%S.%f")


def golang_nanotime_to_python_datetime(golang_time):
    """`2024-01-01T00:00:00.123456789Z` as a naive datetime. Raises AttributeError: no fraction."""
    return _nanotime(golang_time, "%Y-%m-%dT%H:%M:%S.%f")


def is_base64(text, min_length=28):
    """What a Base64 text says, or "" when it is none or says nothing readable."""
    if len(text) < min_length or not text.isascii() or re.fullmatch(r"[A-Za-z0-9]{32}", text):
        return ""
    if not re.fullmatch(r"[A-Za-z0-9+/]*={0,2}", text):
        return ""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return ""
    for codec in ("ascii", "utf-16-le", "utf-8"):
        try:
            decoded = data.decode(codec)
        except UnicodeDecodeError:
            continue
        readable = sum(character.isprintable() or character.isspace() for character in decoded)
        if decoded and decoded.isascii() and readable >= 0.7 * len(decoded):
            return decoded
    return ""


def key_value_list_to_dict(list_objects, key, value):
    """[{key: k, value: v}, ...] as {k: v}. Raises KeyError."""
    return {item[key]: item[value] for item in list_objects}


def listify(maybe_list):
    """The value if it is iterable, otherwise a list with the value."""
    if isinstance(maybe_list, (str, bytes, dict)):
        return [maybe_list]
    try:
        iter(maybe_list)
    except TypeError:
        return [maybe_list]
    return maybe_list


_TIME_FORMATS = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%d %H:%M:%S.%f",
    "%Y-%m-%dT%H:%M:%S.%fZ",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%dT%H:%M:%S.%f",
    "%Y-%m-%dT%H:%M:%S%z",
    "%Y-%m-%dT%H:%M:%S.%f%z",
    "%Y-%m-%d %H:%M:%S%z",
    "%Y-%m-%d %H:%M:%S %z",
    "%Y-%m-%d %H:%M:%S.%f%z",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d",
    "%d/%b/%Y:%H:%M:%S %z",
    "%d %b %Y %H:%M:%S",
    "%b %d %H:%M:%S %Y",
    "%b %d %Y %H:%M:%S",
    "%b %d %H:%M:%S",
    "%a %b %d %H:%M:%S %Y",
    "%a, %d %b %Y %H:%M:%S %z",
    "%a, %d %b %Y %H:%M:%S %Z",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y",
    "%H:%M:%S",
)


def resolve_timestamp_string(timestamp):
    """A datetime from the many forms that logs use (mostly naive), or None for nothing."""
    if not timestamp:
        return None
    text = timestamp.replace("'", "")
    for form in _TIME_FORMATS:
        try:
            return datetime.strptime(text, form)
        except ValueError:
            continue
    try:
        return date_parser.parse(text)
    except (date_parser.ParserError, TypeError):
        pass
    epoch = re.match(r"\d{9,12}(?:\.\d+)?", text)
    return datetime.fromtimestamp(float(epoch.group()), timezone.utc).replace(tzinfo=None)


def time_delta(time1, time2):
    """The time from the first to the second, in words."""
    delta = resolve_timestamp_string(time2) - resolve_timestamp_string(time1)
    hours, rest = divmod(delta.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    parts = [
        (max(delta.days, 0), "day(s)"),
        (hours, "hour(s)"),
        (minutes, "minute(s)"),
        (seconds, "second(s)"),
    ]
    return " ".join(f"{count} {unit}" for count, unit in parts if count)


def nano_to_micro(time):
    """The time with its fraction cut from nine digits to six."""
    parts = time.split(":")
    parts[-1] = f"{float(parts[-1]):06f}"
    return ":".join(parts)


def add_parse_delay(event, context):
    """Adds the delay between an event's time and its parsing to the context."""
    context["parseDelay"] = time_delta(str(event.get("p_event_time")), str(event.get("p_parse_time")))
    return context


def pantherflow_investigation(event, interval="30m"):
    """A query for everything that shares an indicator with the event around its time."""
    table = (event.get("p_log_type") or "").lower().replace(".", "_")
    time = event.get("p_event_time")
    lines = [
        f"union panther_signals.public.correlation_signals\n    , panther_logs.public.{table}",
        f"| where p_event_time between time.parse_timestamp('{time}') - time.parse_timespan('{interval}')"
        f" .. time.parse_timestamp('{time}') + time.parse_timespan('{interval}')",
    ]
    joiner = "| where"
    for key, value in event.items():
        if key.startswith("p_any_") and key != "p_any_aws_account_ids":
            lines.append(f"{joiner} arrays.overlap({key}, {value.copy()})")
            joiner = "     or"
    lines.append("| sort p_event_time")
    return "\n".join(lines)


def dbprint(*_values):
    """Does nothing: rules print with `print`, tests show it."""

"""How rules read what programs of a Linux host log, from the systemd journal or from syslog."""

import time

from panther_detection_helpers.caching import add_to_string_set, get_counter, get_string_set, increment_counter


def program(event):
    return event.get("SYSLOG_IDENTIFIER") or event.get("appname") or ""


def text(event):
    return event.get("MESSAGE") or event.get("message") or ""


def host(event):
    return event.get("_HOSTNAME") or event.get("hostname") or "the server"


def is_new(kind, where, value, learning_seconds):
    """Whether this host never had the value before. What it has while the rule learns is taken as known."""
    key = f"host-{kind}:{where}"
    if value in get_string_set(key):
        return False
    add_to_string_set(key, [value])
    start = int(get_counter(f"{key}:since"))
    if start == 0:
        start = int(increment_counter(f"{key}:since", int(time.time())))
    return time.time() - start >= learning_seconds


def fields(message):
    """`name=bob, UID=1001, …` or `TTY=pts/0 ; USER=root` as a dict; the last value may contain anything."""
    parts = message.replace(" ; ", ", ").split(", ")
    return {name.strip(): value for name, found, value in (part.partition("=") for part in parts) if found}

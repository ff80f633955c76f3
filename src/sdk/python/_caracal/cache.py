"""The key-value cache that rules share, held in memory for the time of a batch.

The host fills it after the start and is told what each batch has changed; it alone keeps it. An entry holds any of a
counter, a set of strings, a dictionary (as JSON text) and the second at which it expires.
"""

import json
import time
from contextlib import contextmanager

# The limits of the hosted service for one item, and ours for all of them together.
MAX_KEY_CHARS = 2048
MAX_ENTRY_CHARS = 400 * 1024
MAX_ENTRIES = 100_000
MAX_CHARS = 32 * 1024 * 1024


class CacheFull(Exception):
    """There is no room for another value."""


class Entry:
    """`size` is the length of the entry's key and text."""

    __slots__ = ("counter", "strings", "dictionary", "expires", "size")

    def __init__(self):
        self.counter = self.strings = self.dictionary = self.expires = None
        self.size = 0

    def is_expired(self, now):
        return self.expires is not None and self.expires <= now

    def is_empty(self):
        return self.counter is None and not self.strings and self.dictionary is None

    def to_text(self):
        strings = None if self.strings is None else sorted(self.strings)
        parts = {"counter": self.counter, "strings": strings, "dictionary": self.dictionary, "expires": self.expires}
        return json.dumps({name: value for name, value in parts.items() if value is not None}, separators=(",", ":"))


def entry_of(text):
    parts = json.loads(text)
    entry = Entry()
    entry.counter = parts.get("counter")
    strings = parts.get("strings")
    entry.strings = None if strings is None else frozenset(strings)
    entry.dictionary = parts.get("dictionary")
    entry.expires = parts.get("expires")
    return entry


class Table:
    """All entries by key, and which of them have changed."""

    def __init__(self):
        self.entries = {}
        self.changed = {}
        self.chars = 0

    def fill(self, items):
        """[[key, text or None]]: what the host knows, the first time or of late."""
        for key, text in items:
            old = self.entries.pop(key, None)
            self.chars -= old.size if old else 0
            if text is None:
                continue
            entry = entry_of(text)
            entry.size = len(key) + len(text)
            self.entries[key] = entry
            self.chars += entry.size

    def seed(self, key, value):
        if isinstance(value, list):
            self.change(key, strings={str(item) for item in value})
        elif isinstance(value, dict):
            self.change(key, dictionary=json.dumps(value))
        elif type(value) is int:
            self.change(key, counter=value)
        else:
            raise TypeError(f"the cache entry '{key}' of a test must be a whole number, a list or a map, not {type(value).__name__}")

    def get(self, key):
        """The entry, or None when there is none or it has expired."""
        entry = self.entries.get(key)
        return None if entry is None or entry.is_expired(time.time()) else entry

    def change(self, key, **parts):
        """Sets parts of an entry; one that has expired begins anew, one with nothing left in it goes."""
        if not isinstance(key, str) or not 0 < len(key) <= MAX_KEY_CHARS:
            raise ValueError(f"a cache key must be a string of 1 to {MAX_KEY_CHARS} characters, not {key!r:.100}")
        old = self.entries.get(key)
        entry = Entry()
        if old is not None and not old.is_expired(time.time()):
            entry.counter, entry.strings, entry.dictionary, entry.expires = old.counter, old.strings, old.dictionary, old.expires
        for name, value in parts.items():
            setattr(entry, name, value)
        if entry.is_empty():
            self._drop(key)
            return
        text = entry.to_text()
        if len(text) > MAX_ENTRY_CHARS:
            raise ValueError(f"the cache entry '{key[:100]}' would be {len(text)} characters long, more than {MAX_ENTRY_CHARS}")
        entry.size = len(key) + len(text)
        self._make_room(entry.size - (old.size if old else 0), old is None)
        self.entries[key] = entry
        self.chars += entry.size - (old.size if old else 0)
        self.changed[key] = text

    def check_changes(self):
        """Raises when something other than `change` has written here, and takes that away."""
        for key, text in list(self.changed.items()):
            try:
                if not isinstance(key, str):
                    raise TypeError(f"a key is a string, not {type(key).__name__}")
                if text is not None:
                    entry_of(text)
            except (TypeError, ValueError, AttributeError) as error:
                del self.changed[key]
                self.entries.pop(key, None)
                raise ValueError(f"the cache of rules was written to past its functions, at key {key!r:.100}: {error}") from error

    def take_changes(self):
        """[[key, text or None]] since the last call."""
        changes = [[key, text] for key, text in self.changed.items()]
        self.changed.clear()
        return changes

    def _drop(self, key):
        entry = self.entries.pop(key, None)
        if entry is not None:
            self.chars -= entry.size
            self.changed[key] = None

    def _make_room(self, chars, is_new):
        if self.chars + chars <= MAX_CHARS and len(self.entries) + is_new <= MAX_ENTRIES:
            return
        now = time.time()
        for key in [key for key, entry in self.entries.items() if entry.is_expired(now)]:
            self._drop(key)
        if self.chars + chars > MAX_CHARS or len(self.entries) + is_new > MAX_ENTRIES:
            raise CacheFull(
                f"the cache of rules is full ({len(self.entries)} entries, {self.chars} characters): give entries a shorter life"
            )


_table = Table()


def table():
    return _table


@contextmanager
def isolated(seed=None):
    """A table of its own for a unit test. `seed`: {key: number, list or map} that it holds at first."""
    global _table
    saved, _table = _table, Table()
    try:
        for key, value in (seed or {}).items():
            _table.seed(key, value)
        yield
    finally:
        _table = saved

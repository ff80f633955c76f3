"""The key-value cache that rules share, held in memory for the time of a batch.

The host fills it after startup and receives each batch's changes; only the host stores it. An entry holds any of a
counter, a set of strings, a dictionary (as JSON text) and the second at which it expires.
"""

import json
import time
from collections import OrderedDict
from contextlib import contextmanager

# The limits of the hosted service for one item, ours for the entries that one rule wrote last, and ours for all of them together.
MAX_KEY_CHARS = 2048
MAX_ENTRY_CHARS = 400 * 1024
MAX_RULE_ENTRIES = 10_000
MAX_RULE_CHARS = 4 * 1024 * 1024
MAX_ENTRIES = 100_000
MAX_CHARS = 32 * 1024 * 1024

# A full share is searched for expired entries this often at most.
SWEEP_SECONDS = 10


class Entry:
    """`size` is the length of the entry's key and text, `rule` the id of the rule that wrote it last ('': not known)."""

    __slots__ = ("counter", "strings", "dictionary", "expires", "rule", "size")

    def __init__(self):
        self.counter = self.strings = self.dictionary = self.expires = None
        self.rule = ""
        self.size = 0

    def is_expired(self, now):
        return self.expires is not None and self.expires <= now

    def is_empty(self):
        return self.counter is None and not self.strings and self.dictionary is None

    def to_text(self):
        strings = None if self.strings is None else sorted(self.strings)
        parts = {"counter": self.counter, "strings": strings, "dictionary": self.dictionary, "expires": self.expires, "rule": self.rule or None}
        return json.dumps({name: value for name, value in parts.items() if value is not None}, separators=(",", ":"))


def entry_of(text):
    parts = json.loads(text)
    entry = Entry()
    entry.counter = parts.get("counter")
    strings = parts.get("strings")
    entry.strings = None if strings is None else frozenset(strings)
    entry.dictionary = parts.get("dictionary")
    entry.expires = parts.get("expires")
    entry.rule = parts.get("rule", "")
    return entry


class Share:
    """The entries that one rule wrote last: their keys, the longest untouched one first, and the characters they take."""

    __slots__ = ("keys", "chars", "swept")

    def __init__(self):
        self.keys = OrderedDict()
        self.chars = 0
        self.swept = 0


class Table:
    """
    All entries by key, and which of them have changed. `writer`: id of the rule that is running. A rule that wants more than its
    share loses the entry that it has left untouched for longest; other rules lose nothing. When all shares together are too
    much, the largest one gives way.
    """

    def __init__(self):
        self.entries = {}
        self.changed = {}
        self.chars = 0
        self.writer = ""
        self._shares = {}
        # Keys that the host does not know yet.
        self._fresh = set()
        self._evicted = {}

    def fill(self, items):
        """[[key, text or None]]: what the host knows, the first time or of late."""
        for key, text in items:
            if text is None:
                self._remove(key)
            else:
                self._put(key, entry_of(text), text)

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
        """Sets parts of an entry; an expired one starts from scratch, and an empty one is removed."""
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
        entry.rule = self.writer
        text = entry.to_text()
        if len(text) > MAX_ENTRY_CHARS:
            raise ValueError(f"the cache entry '{key[:100]}' would be {len(text)} characters long, more than {MAX_ENTRY_CHARS}")
        if old is None and key not in self.changed:
            self._fresh.add(key)
        # The last written entry comes last.
        self.changed.pop(key, None)
        self.changed[key] = text
        self._put(key, entry, text)
        self._make_room(entry.rule)

    def check_changes(self):
        """Raises if something other than `change` has written here, and removes it."""
        for key, text in list(self.changed.items()):
            try:
                if not isinstance(key, str):
                    raise TypeError(f"a key is a string, not {type(key).__name__}")
                if text is not None:
                    entry_of(text)
            except (TypeError, ValueError, AttributeError) as error:
                del self.changed[key]
                self._remove(key)
                raise ValueError(f"the cache of rules was written to past its functions, at key {key!r:.100}: {error}") from error

    def take_changes(self):
        """[[key, text or None]] since the last call."""
        changes = [[key, text] for key, text in self.changed.items()]
        self.changed.clear()
        self._fresh.clear()
        return changes

    def take_evictions(self):
        """[[rule id, number of entries that it lost]] since the last call."""
        evictions = [[rule, count] for rule, count in self._evicted.items() if rule]
        self._evicted.clear()
        return evictions

    def _put(self, key, entry, text):
        self._remove(key)
        entry.size = len(key) + len(text)
        self.entries[key] = entry
        self.chars += entry.size
        share = self._shares.get(entry.rule)
        if share is None:
            share = self._shares[entry.rule] = Share()
        share.keys[key] = None
        share.chars += entry.size

    def _remove(self, key):
        """Gives the entry that was there, or None."""
        entry = self.entries.pop(key, None)
        share = self._shares.get(entry.rule) if entry else None
        if share is not None and key in share.keys:
            self.chars -= entry.size
            share.chars -= entry.size
            del share.keys[key]
            if not share.keys:
                del self._shares[entry.rule]
        return entry

    def _drop(self, key):
        if self._remove(key) is None:
            return
        if key in self._fresh:
            self._fresh.discard(key)
            self.changed.pop(key, None)
        else:
            self.changed[key] = None

    def _make_room(self, rule):
        share = self._shares[rule]
        while len(share.keys) > MAX_RULE_ENTRIES or share.chars > MAX_RULE_CHARS:
            self._evict(rule)
        while len(self.entries) > MAX_ENTRIES:
            self._evict(max(self._shares, key=lambda rule: len(self._shares[rule].keys)))
        while self.chars > MAX_CHARS:
            self._evict(max(self._shares, key=lambda rule: self._shares[rule].chars))

    def _evict(self, rule):
        """Takes away what has expired of the rule's entries or, at the least, the one that it has left untouched for longest."""
        share = self._shares[rule]
        now = time.time()
        if now - share.swept >= SWEEP_SECONDS:
            share.swept = now
            expired = [key for key in share.keys if self.entries[key].is_expired(now)]
            for key in expired:
                self._drop(key)
            if expired:
                return
        oldest = next(iter(share.keys))
        if not self.entries[oldest].is_expired(now):
            self._evicted[rule] = self._evicted.get(rule, 0) + 1
        self._drop(oldest)


_table = Table()


def table():
    return _table


@contextmanager
def isolated(seed=None):
    """A separate table for a unit test. `seed`: its initial content, {key: number, list or map}."""
    global _table
    saved, _table = _table, Table()
    try:
        for key, value in (seed or {}).items():
            _table.seed(key, value)
        yield
    finally:
        _table = saved

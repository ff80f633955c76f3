"""Read-only views of parsed JSON, as rules see nested values.

Values are wrapped when they are read, one level at a time, so a rule that reads two fields pays for two fields.
"""

from collections.abc import ItemsView, Mapping, Sequence, ValuesView

_MISSING = object()


def json_encoder(value):
    """For `json.dumps(default=...)`: unwraps the read-only containers, refuses everything else."""
    if isinstance(value, (ImmutableCaseInsensitiveDict, ImmutableList)):
        return value.copy()
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def plain(value):
    """A deep copy as ordinary dicts and lists. Faster than copy.deepcopy: JSON has no cycles and no shared parts."""
    kind = type(value)
    if kind is dict:
        return {key: plain(item) for key, item in value.items()}
    if kind is list or kind is tuple:
        return [plain(item) for item in value]
    if kind is ImmutableCaseInsensitiveDict or kind is ImmutableList or isinstance(value, ImmutableCaseInsensitiveDict):
        return plain(value._container)
    return value


def find_key(container, key):
    """The first key equal to `key` without regard to case, or `_MISSING`."""
    if not container:
        return _MISSING
    wanted = key.lower()
    for candidate in container:
        if candidate.lower() == wanted:
            return candidate
    return _MISSING


class _Items(ItemsView):
    """`items()` with all values wrapped at once: the inherited one looks up every key again."""

    __slots__ = ()

    def __iter__(self):
        return iter([(key, wrap(value)) for key, value in self._mapping._container.items()])


class _Values(ValuesView):
    """`values()`, likewise."""

    __slots__ = ()

    def __iter__(self):
        return iter([wrap(value) for value in self._mapping._container.values()])


# Their `repr` uses these names.
_Items.__name__, _Values.__name__ = "ItemsView", "ValuesView"


class ImmutableCaseInsensitiveDict(Mapping):
    """A JSON object: exact key first, else the first key that differs in case only."""

    __slots__ = ("_container", "__weakref__")
    json_encoder = staticmethod(json_encoder)

    def __init__(self, container=None):
        if container is None:
            container = {}
        elif isinstance(container, ImmutableCaseInsensitiveDict):
            container = container._container
        elif hasattr(container, "copy"):
            container = container.copy()
        self._container = container

    def _find(self, key):
        container = self._container
        found = find_key(container, key)
        return _MISSING if found is _MISSING else container[found]

    def __getitem__(self, key):
        container = self._container
        if key in container:
            value = container[key]
        else:
            value = self._find(key)
            if value is _MISSING:
                raise KeyError(key)
        kind = type(value)
        if kind is dict:
            return _wrap_dict(value)
        if kind is list:
            return ImmutableList(value)
        return value

    def get(self, key, default=None):
        container = self._container
        if key in container:
            value = container[key]
        else:
            value = self._find(key)
            if value is _MISSING:
                return default
        kind = type(value)
        if kind is dict:
            return _wrap_dict(value)
        if kind is list:
            return ImmutableList(value)
        return value

    def __contains__(self, key):
        return key in self._container or self._find(key) is not _MISSING

    def __iter__(self):
        return iter(self._container)

    def __len__(self):
        return len(self._container)

    def __bool__(self):
        return bool(self._container)

    def items(self):
        return _Items(self)

    def values(self):
        return _Values(self)

    def __repr__(self):
        return f"{type(self).__name__}({self._container!r})"

    def __eq__(self, other):
        if isinstance(other, ImmutableCaseInsensitiveDict):
            return self._container == other._container
        if isinstance(other, Mapping):
            return self._container == plain(dict(other))
        return NotImplemented

    __hash__ = None

    def copy(self):
        """A deep copy as a plain dict."""
        return plain(self._container)

    to_dict = copy

    def __copy__(self):
        return self.copy()

    def __deepcopy__(self, memo):
        return self.copy()


class ImmutableList(Sequence):
    """A JSON array. An index returns a wrapped item, a slice a plain tuple."""

    __slots__ = ("_container", "__weakref__")
    json_encoder = staticmethod(json_encoder)

    def __init__(self, container=()):
        self._container = tuple(container)

    def __getitem__(self, index):
        value = self._container[index]
        kind = type(value)
        if kind is dict:
            return _wrap_dict(value)
        if kind is list:
            return ImmutableList(value)
        if kind is tuple and type(index) is slice:
            # Items of a slice are raw; copies keep one rule from changing what the next one reads.
            return tuple(plain(item) if type(item) in _CONTAINERS else item for item in value)
        return value

    def __iter__(self):
        for value in self._container:
            kind = type(value)
            if kind is dict:
                yield _wrap_dict(value)
            elif kind is list:
                yield ImmutableList(value)
            else:
                yield value

    def __len__(self):
        return len(self._container)

    def __repr__(self):
        return f"{type(self).__name__}({self._container!r})"

    def __eq__(self, other):
        if isinstance(other, ImmutableList):
            return self._container == other._container
        if isinstance(other, (list, tuple)):
            return list(self._container) == plain(list(other))
        return NotImplemented

    __hash__ = None

    def copy(self):
        """A deep copy as a plain list."""
        return plain(self._container)

    as_list = copy

    def __copy__(self):
        return self.copy()

    def __deepcopy__(self, memo):
        return self.copy()


_CONTAINERS = (dict, list)
_new_dict = ImmutableCaseInsensitiveDict.__new__


def _wrap_dict(value):
    """Wraps without the copy that the public constructor makes: the container is ours and never handed out."""
    wrapped = _new_dict(ImmutableCaseInsensitiveDict)
    wrapped._container = value
    return wrapped


def wrap(value):
    """The read-only view of a dict or list; everything else unchanged."""
    kind = type(value)
    if kind is dict:
        return _wrap_dict(value)
    if kind is list:
        return ImmutableList(value)
    return value

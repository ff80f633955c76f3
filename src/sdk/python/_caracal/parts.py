"""The watched parts: names of a module or class, lists and dicts, code of functions. Each remembers its proper state."""

from operator import attrgetter, is_

GONE = object()
_IS_HEAP_TYPE = 1 << 9
_flags_of = type.__dict__["__flags__"].__get__
_dict_of = type.__dict__["__dict__"].__get__
_code_of = attrgetter("__code__", "__defaults__", "__kwdefaults__")

# Maximum number of lists, dicts and sets watched per helper: more are data.
_MAX_CONTAINERS = 2000


class Names:
    """
    A module's or a class's names. `owned(name)`: the owner's own code gives it other values. `is_open`: new names hide nothing
    of what others see.
    """

    def __init__(self, label, mapping, target, owned, is_open):
        self.label = label
        self.mapping = mapping
        self.target = target
        self.owned = owned
        self.is_open = is_open
        self.take()

    def take(self):
        self.saved = dict(self.mapping)

    def changed(self):
        """The names that are not what they were."""
        found = self.mapping
        names = [name for name, value in self.saved.items() if found.get(name, GONE) is not value]
        if not self.is_open and len(found) != len(self.saved):
            names.extend(name for name in found if name not in self.saved)
        return [name for name in names if not _is_pythons(name) and not self.owned(name)]

    def restore(self):
        for name in self.changed():
            self._put(name, self.saved.get(name, GONE))

    def _put(self, name, value):
        target = self.target
        if isinstance(target, type):
            type.__delattr__(target, name) if value is GONE else type.__setattr__(target, name, value)
        elif value is GONE:
            del target[name]
        else:
            target[name] = value


# Python's import and pickle write these.
_PYTHONS = frozenset(("__cached__", "__loader__", "__package__", "__path__", "__slotnames__", "__spec__"))


def _is_pythons(name):
    """Python itself adds these when it needs them."""
    return type(name) is str and (name in _PYTHONS or name.startswith(("__annot", "__warning")))


class Items:
    """A list, dict or set of a helper, or inside of one."""

    def __init__(self, module, name, container, owned):
        self.label = f"{module}.{name}"
        self.name = name
        self.container = container
        self.owned = owned
        self.take()

    def take(self):
        container = self.container
        self.saved = dict(container) if isinstance(container, dict) else container.copy()
        self.values = tuple(self.saved.values()) if isinstance(container, dict) else tuple(self.saved)

    def is_same(self):
        container = self.container
        if len(container) != len(self.saved):
            return False
        if isinstance(container, set):
            return set.issuperset(container, self.saved)
        return all(map(is_, dict.values(container) if isinstance(container, dict) else container, self.values))

    def restore(self):
        container = self.container
        container.clear()
        container.extend(self.saved) if isinstance(container, list) else container.update(self.saved)


class Code:
    """Functions' code and defaults: they can be changed in place."""

    def __init__(self, label, functions):
        self.label = label
        self.functions = functions
        self.codes = list(map(_code_of, functions))

    def is_same(self):
        return self.codes == list(map(_code_of, self.functions))

    def restore(self):
        for function, (code, defaults, keywords) in zip(self.functions, self.codes):
            function.__code__, function.__defaults__, function.__kwdefaults__ = code, defaults, keywords


def is_own_class(value, module_name):
    """A class of this module whose attributes can be given other values. Asks nothing of the class itself, which may answer anything."""
    return issubclass(type(value), type) and _flags_of(value) & _IS_HEAP_TYPE and _dict_of(value).get("__module__") == module_name


def containers(value, seen):
    """A list, dict or set, and those inside of it."""
    if not isinstance(value, (list, dict, set)) or id(value) in seen or len(seen) >= _MAX_CONTAINERS:
        return
    seen.add(id(value))
    yield value
    if not isinstance(value, set):
        for item in list(value.values()) if isinstance(value, dict) else list(value):
            yield from containers(item, seen)

"""What all rules of a child share and none may change: built-in names, helper modules, Python's own modules.

Looking is comparing objects by identity, in loops that run in C: about 0.1 ms for what rules use most, 1 to 2 ms for the rest. After a
rule whose code names such things it is done at once, else every so often. Nothing here calls what a rule may have put in a thing's place: the modules of the engine have built-in
names of their own.
"""

import builtins
import sys
from itertools import chain
from operator import attrgetter, is_
from time import perf_counter
from types import BuiltinFunctionType, FunctionType, ModuleType

from panther_core import enriched_event

from _caracal.owners import MUTATORS, Owned, STORES_ATTRIBUTE, STORES_ITEM, names_and_opcodes, stored_globals
from _caracal.state import Interpreter
from _caracal.suspects import reaches

# What code of the rules that ran has to do with is looked at at once, and everything when so many seconds have passed.
_LOOK_SECONDS = 0.02

# The rest is looked at after a rule that may have to do with it, and again when so many seconds have passed.
_AGAIN_SECONDS = 0.2

NAMES = "names"
_NOTHING = frozenset()

_GONE = object()
_IS_HEAP_TYPE = 1 << 9
_flags_of = type.__dict__["__flags__"].__get__
_dict_of = type.__dict__["__dict__"].__get__
_code_of = attrgetter("__code__", "__defaults__", "__kwdefaults__")

# Of one helper so many lists, dicts and sets are watched: more are data.
_MAX_CONTAINERS = 2000


class _Names:
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
        names = [name for name, value in self.saved.items() if found.get(name, _GONE) is not value]
        if not self.is_open and len(found) != len(self.saved):
            names.extend(name for name in found if name not in self.saved)
        return [name for name in names if not _is_pythons(name) and not self.owned(name)]

    def restore(self):
        for name in self.changed():
            self._put(name, self.saved.get(name, _GONE))

    def _put(self, name, value):
        target = self.target
        if isinstance(target, type):
            type.__delattr__(target, name) if value is _GONE else type.__setattr__(target, name, value)
        elif value is _GONE:
            del target[name]
        else:
            target[name] = value


# Python's import and pickle write these.
_PYTHONS = frozenset(("__cached__", "__loader__", "__package__", "__path__", "__slotnames__", "__spec__"))


def _is_pythons(name):
    """Python itself adds these when it needs them."""
    return type(name) is str and (name in _PYTHONS or name.startswith(("__annot", "__warning")))


class _Items:
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


class _Code:
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


class Shared:
    """Everything that is watched in one load. `looked`: at how much the last thorough look was; never less than the one before."""

    # No rule gives it another `changed`.
    __slots__ = (
        *("_interpreter", "_names", "_items", "_code", "_owned", "_next_look", "_next_thorough_look", "_items_by_name"),
        *("_mappings", "_views", "_sizes", "_values", "_containers", "_lengths", "looked"),
    )

    def __init__(self):
        self.looked = 0
        self._interpreter = Interpreter()
        self._interpreter.take()
        self._names = []
        self._items = []
        self._code = []
        self._owned = Owned()
        self._next_look = self._next_thorough_look = 0
        self._items_by_name = {}
        self._settle()
        self.add_builtins("builtins", vars(builtins))
        self._add("sys.modules", sys.modules, sys.modules, _nobodys, is_open=True)
        for name, module in sorted(sys.modules.items()):
            if name.partition(".")[0] == "panther_core":
                self._add_classes(name, vars(module), _nobodys)
        self._settle()

    def add_builtins(self, label, names):
        """The built-in names of modules: each place has its own."""
        self._add(label, names, names, _nobodys, is_open=True)
        self._settle()

    def add_module(self, module):
        """A helper that has been imported."""
        names = vars(module)
        owned = self._owned.of(module.__file__)
        self._add(module.__name__, names, names, owned.rebinds)
        self._add_classes(module.__name__, names, owned.stores)
        functions = []
        members = list(names.items())
        for value in names.values():
            if _is_own_class(value, module.__name__):
                members.extend(vars(value).items())
        seen = set()
        for name, value in members:
            if type(value) is FunctionType:
                if value.__globals__ is names:
                    functions.append(value)
                continue
            for container in _containers(value, seen):
                part = _Items(module.__name__, name, container, lambda name=name: owned.mutates(name))
                self._items.append(part)
                self._items_by_name.setdefault(name, []).append(part)
        self._code.append(_Code(f"the code of a function of {module.__name__}", functions))
        self._settle()

    def suspicion(self, code):
        """How closely to look after code: `NAMES` of others it may change, or the names of lists that it may write to, mostly none."""
        names, opcodes, texts = names_and_opcodes(code)
        if not opcodes.isdisjoint(STORES_ATTRIBUTE) or reaches(names, texts):
            return NAMES
        if opcodes.isdisjoint(STORES_ITEM) and names.isdisjoint(MUTATORS):
            return _NOTHING
        return NAMES if any(part.name in names for part in _held) else names & self._items_by_name.keys()

    def settle(self):
        """What is there now is what must stay."""
        self._next_look = self._next_thorough_look = 0
        self._interpreter.take()
        for part in chain(self._names, self._items):
            part.take()
        for entry in _library:
            entry[4][:] = map(entry[2].get, entry[3])
        for part in _held:
            part.take()
        self._settle()

    def changed(self, thoroughly=False, items=()):
        """
        Names the first thing that something else than its owner has changed, or gives None. `items`: names of lists to look
        into as well.
        """
        now = perf_counter()
        if not thoroughly and not items and now < self._next_look:
            return None
        self._next_look = now + _LOOK_SECONDS
        state = self._interpreter.changed()
        if state is not None:
            return state
        if not self._is_same():
            for names in self._names:
                for name in names.changed():
                    return f"{names.label}.{name}" if isinstance(name, str) else names.label
            for part in self._items:
                if len(part.container) != len(part.saved) and not part.owned():
                    return part.label
            # Owners' own work, or new names, which disturb nobody.
            for part in chain(self._names, self._items):
                part.take()
            self._settle()
        if items:
            changed = self._changed_items(chain.from_iterable(self._items_by_name[name] for name in items))
            if changed is not None:
                return changed
        if not thoroughly and now < self._next_thorough_look:
            return None
        self._next_thorough_look = now + _AGAIN_SECONDS
        return self._interpreter.changed_further() or self._thoroughly()

    def put_back(self):
        """After a suspect rule: what it may have set for itself, and what the engine remembers of events."""
        self._interpreter.put_back()
        enriched_event._shapes.clear()

    def restore(self):
        """Puts everything back as far as that goes, so that the engine can go on until the child is replaced."""
        self._interpreter.restore()
        for names in self._names:
            names.restore()
        for part in chain(self._items, self._code, _held):
            if not part.is_same():
                part.restore()
        for _label, target, mapping, names, values in chain(_library, _engine):
            if not all(map(is_, map(mapping.get, names), values)):
                for name, value in zip(names, values):
                    if mapping.get(name, _GONE) is not value:
                        type.__setattr__(target, name, value) if isinstance(target, type) else mapping.__setitem__(name, value)

    def _is_same(self):
        return (
            list(map(len, self._mappings)) == self._sizes
            and all(map(is_, chain.from_iterable(self._views), self._values))
            and list(map(len, self._containers)) == self._lengths
        )

    def _thoroughly(self):
        for code in self._code:
            if not code.is_same():
                return code.label
        changed = self._changed_items(self._items)
        if changed is not None:
            return changed
        looked = len(self._names) + len(self._items) + len(self._code) + len(_held)
        for label, _target, mapping, names, values in chain(_library, _engine):
            looked += len(values)
            if not all(map(is_, map(mapping.get, names), values)):
                for name, value in zip(names, values):
                    if mapping.get(name, _GONE) is not value:
                        return f"{label}.{name}"
        for part in _held:
            if not part.is_same():
                return part.label
        learn_library()
        self.looked = looked
        return None

    def _changed_items(self, parts):
        for part in parts:
            if not part.is_same():
                if not part.owned():
                    return part.label
                part.take()
        return None

    def _add_classes(self, label, names, owned):
        for name, value in list(names.items()):
            if _is_own_class(value, label):
                self._add(f"{label}.{name}", value.__dict__, value, owned)

    def _add(self, label, mapping, target, owned, is_open=False):
        self._names.append(_Names(label, mapping, target, owned, is_open))

    def _settle(self):
        """The flat lists that are compared."""
        self._mappings = [names.mapping for names in self._names]
        self._views = [mapping.values() for mapping in self._mappings]
        self._sizes = list(map(len, self._mappings))
        self._values = list(chain.from_iterable(self._views))
        self._containers = [items.container for items in self._items]
        self._lengths = list(map(len, self._containers))


def _nobodys(_name):
    return False


def _is_own_class(value, module_name):
    """A class of this module whose attributes can be given other values. Asks nothing of the class itself, which may answer anything."""
    return issubclass(type(value), type) and _flags_of(value) & _IS_HEAP_TYPE and _dict_of(value).get("__module__") == module_name


def _containers(value, seen):
    """A list, dict or set, and those inside of it."""
    if not isinstance(value, (list, dict, set)) or id(value) in seen or len(seen) >= _MAX_CONTAINERS:
        return
    seen.add(id(value))
    yield value
    if not isinstance(value, set):
        for item in list(value.values()) if isinstance(value, dict) else list(value):
            yield from _containers(item, seen)


_CALLED = (FunctionType, BuiltinFunctionType, type)
_METHODS = (FunctionType, BuiltinFunctionType, classmethod, staticmethod, property)
_VALUES = (str, bytes, int, float, bool, tuple, frozenset)
_learned = set()
# (label, module or class, its dict, names, values): what can be called in Python's and the engine's own modules and classes, and
# their public constants.
_library = []
# The same of the engine's modules: all names that no code of theirs gives another value.
_engine = []
# Lists, dicts and sets of both.
_held = []

# These reach out of the sandbox, or below Python (`close.py` takes them away): nothing here may hold them.
CLOSED = frozenset("_ctypes _posixsubprocess _pyodide _pyodide_core _remote_debugging ctypes js pyodide pyodide_js".split()).union(
    # Python's tests of itself: other interpreters, memory, code from bytes.
    name for name in sys.builtin_module_names if name.startswith(("_test", "_xx", "xx"))
)

# Their lists are lists of what has happened.
_RECORDING = frozenset("__main__ atexit copyreg encodings gc importlib linecache mimetypes signal sys threading warnings".split())
_MAX_LIBRARY_ITEMS = 300


def learn_library(later=()):
    """
    Modules that have been imported since the last time. The first time is before the snapshot, and `later` are modules that the
    child has yet to change.
    """
    for label, module in list(sys.modules.items()):
        root = label.partition(".")[0]
        if label in _learned or label in later or root in CLOSED or not isinstance(module, ModuleType):
            continue
        _learned.add(label)
        mapping = vars(module)
        own = stored_globals(mapping)
        is_plain = root in sys.stdlib_module_names and root not in _RECORDING and root[:1] != "_"
        names = [name for name, value in mapping.items() if name not in own and (isinstance(value, _CALLED) or (is_plain and _is_constant(name, value)))]
        _library.append((label, module, mapping, names, [mapping[name] for name in names]))
        for name in names:
            kind = mapping[name]
            if _is_own_class(kind, label):
                members = [key for key, value in kind.__dict__.items() if isinstance(value, _METHODS)]
                _library.append((f"{label}.{name}", kind, kind.__dict__, members, [kind.__dict__[key] for key in members]))
        if is_plain:
            for name, value in mapping.items():
                if name not in own and type(name) is str and name[:1] != "_" and type(value) in (list, dict, set) and len(value) < _MAX_LIBRARY_ITEMS:
                    _held.append(_Items(label, name, value, _never))


def _is_constant(name, value):
    return type(name) is str and name[:1] != "_" and type(value) in _VALUES


def _never():
    return False


# What the engine writes to as it works.
_WRITTEN = frozenset(
    "_engine _held _known _learned _library _shapes __annotations__ __builtins__ __conditional_annotations__ __loader__ __package__ "
    "__path__ __spec__ engine_times is_careful mark stopped".split()
)


def learn_engine():
    """Before the engine's modules are taken out of sight."""
    for label, module in list(sys.modules.items()):
        if label.partition(".")[0] not in ("_caracal", "panther_core"):
            continue
        mapping = vars(module)
        own = stored_globals(mapping) | _WRITTEN
        names = [name for name in mapping if name not in own]
        _engine.append((label, module, mapping, names, [mapping[name] for name in names]))
        for name in names:
            if type(mapping[name]) in (list, dict, set):
                _held.append(_Items(label, name, mapping[name], _never))

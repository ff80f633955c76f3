"""State that all rules of a child share and must not change: built-in names, helper modules, Python's own modules.

Looking is comparing objects by identity, in loops that run in C: about 0.1 ms for what rules use most, 1 to 2 ms for the rest. After a
rule whose code names such things it is done at once, else every so often. Nothing here calls what a rule may have put in a thing's
place: the modules of the engine have built-in names of their own.
"""

import builtins
import sys
from itertools import chain
from operator import is_
from time import perf_counter
from types import FunctionType

from panther_core import enriched_event

from _caracal.library import constants, engine, held, learn_library, library
from _caracal.owners import MUTATORS, Owned, STORES_ATTRIBUTE, STORES_ITEM, names_and_opcodes
from _caracal.parts import GONE, Code, Items, Names, containers, is_own_class
from _caracal.state import Interpreter
from _caracal.suspects import reaches

# Objects that the rules that ran could have touched are checked at once, and everything after this many seconds.
_LOOK_SECONDS = 0.02

# The rest is checked after a rule that could have touched it, and again after this many seconds.
_AGAIN_SECONDS = 0.2

NAMES = "names"
_NOTHING = frozenset()


class Shared:
    """Everything that is watched in one load. `looked`: at how much the last thorough look was; never less than the one before."""

    # No rule can replace its `changed`.
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
            if is_own_class(value, module.__name__):
                members.extend(vars(value).items())
        seen = set()
        for name, value in members:
            if type(value) is FunctionType:
                if value.__globals__ is names:
                    functions.append(value)
                continue
            for container in containers(value, seen):
                part = Items(module.__name__, name, container, lambda name=name: owned.mutates(name))
                self._items.append(part)
                self._items_by_name.setdefault(name, []).append(part)
        self._code.append(Code(f"the code of a function of {module.__name__}", functions))
        self._settle()

    def suspicion(self, code):
        """How closely to look after code: `NAMES` of others it may change, or the names of lists that it may write to, mostly none."""
        names, opcodes, texts = names_and_opcodes(code)
        if not opcodes.isdisjoint(STORES_ATTRIBUTE) or reaches(names, texts):
            return NAMES
        if opcodes.isdisjoint(STORES_ITEM) and names.isdisjoint(MUTATORS):
            return _NOTHING
        return NAMES if any(part.name in names for part in held) else names & self._items_by_name.keys()

    def settle(self):
        """Records the current state as the one to preserve."""
        self._next_look = self._next_thorough_look = 0
        self._interpreter.take()
        for part in chain(self._names, self._items):
            part.take()
        for entry in chain(library, constants):
            entry[4][:] = map(entry[2].get, entry[3])
        for part in held:
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
            # Owners' own work, or new names, which are harmless.
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
        return self._interpreter.changed_further() or self._thoroughly(thoroughly)

    def put_back(self):
        """After a suspect rule: what it may have set for itself, and what the engine remembers of events."""
        self._interpreter.put_back()
        enriched_event._shapes.clear()

    def restore(self):
        """Puts everything back as far as that goes, so that the engine can go on until the child is replaced."""
        self._interpreter.restore()
        for names in self._names:
            names.restore()
        for part in chain(self._items, self._code, held):
            if not part.is_same():
                part.restore()
        for _label, target, mapping, names, values in chain(library, engine, constants):
            if not all(map(is_, map(mapping.get, names), values)):
                for name, value in zip(names, values):
                    if mapping.get(name, GONE) is not value:
                        type.__setattr__(target, name, value) if isinstance(target, type) else mapping.__setitem__(name, value)

    def _is_same(self):
        return (
            list(map(len, self._mappings)) == self._sizes
            and all(map(is_, chain.from_iterable(self._views), self._values))
            and list(map(len, self._containers)) == self._lengths
        )

    def _thoroughly(self, everything):
        """`everything`: what only a suspect may have changed as well."""
        for code in self._code:
            if not code.is_same():
                return code.label
        changed = self._changed_items(self._items)
        if changed is not None:
            return changed
        looked = len(self._names) + len(self._items) + len(self._code) + len(held)
        for label, _target, mapping, names, values in chain(library, engine, constants if everything else ()):
            looked += len(values)
            if not all(map(is_, map(mapping.get, names), values)):
                for name, value in zip(names, values):
                    if mapping.get(name, GONE) is not value:
                        return f"{label}.{name}"
        for part in held if everything else ():
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
            if is_own_class(value, label):
                self._add(f"{label}.{name}", value.__dict__, value, owned)

    def _add(self, label, mapping, target, owned, is_open=False):
        self._names.append(Names(label, mapping, target, owned, is_open))

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

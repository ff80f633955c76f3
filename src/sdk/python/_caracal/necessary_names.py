"""Names: what is assigned to them, what they are worth, and whom an assignment may be seen by."""

import ast

from _caracal.necessary_formula import both
from _caracal.necessary_syntax import MUTATORS, REFLECTION, SAFE_BUILTINS, is_builtin, root
from _caracal.necessary_read import UNKNOWN
from _caracal.necessary_state import (
    stored,
    Builtin,
    Foreign,
    Frame,
    Function,
    MAX_STEPS,
    ModuleValue,
    OPAQUE,
    TooMuch,
    is_kept,
    keeps_its_worth,
)
from _caracal.necessary_values import Const, Data, Pattern, Several


class Names:
    """The part of a walk that knows names, and the effects of a rule on later events."""

    def assign(self, target, value, names, source=None):
        """Names after an assignment."""
        if isinstance(target, ast.Name):
            name = target.id
            if name in self.frame.globals:
                return self.assign_global(name, value, names)
            if not is_kept(name, value, self.frame.module):
                value = UNKNOWN
            return {**names, name: value}
        if isinstance(target, (ast.Tuple, ast.List)):
            items = value.items if isinstance(value, Several) and len(value.items) == len(target.elts) else None
            self.may_raise = True
            for place, part in enumerate(target.elts):
                names = self.assign(part, items[place] if items and not isinstance(part, ast.Starred) else UNKNOWN, names)
            return names
        if isinstance(target, ast.Starred):
            return self.assign(target.value, UNKNOWN, names)
        # Into something: a trace, unless it is the function's own.
        self.may_raise = True
        for part in ast.iter_child_nodes(target):
            if isinstance(part, ast.expr):
                self.value(part, names)
        if self.is_shared(root(target)):
            self.effect()
        return names

    def assign_global(self, name, value, names):
        self.writes.setdefault(name, []).append(both(*self.context))
        if not self.frame.is_top:
            self.stale.add(name)
        return {**names, ("global", name): value if keeps_its_worth(value) else UNKNOWN}

    def is_shared(self, name):
        """The object of a name may outlive the call or belong to other code."""
        if name is None:
            return False
        module, given = self.frame.module, self.frame.given
        own = self.frame.assigned - self.frame.globals - given
        return any(one not in own and (one in given or one in module.bound or one in module.globals) for one in module.group(name))

    def forget(self, node, names):
        """Names after code of which it is not known whether and how often it ran."""
        facts = self.frame.module.facts
        if node not in facts:
            facts[node] = stored(list(ast.walk(node)))
        changed = facts[node]
        kept = {name: OPAQUE if name in changed else value for name, value in names.items()}
        for name in changed:
            kept.pop(("global", name), None)
            if name not in self.frame.globals:
                kept.setdefault(name, OPAQUE)
        return kept

    def lookup(self, name, names):
        if name in self.frame.globals or ("global", name) in names:
            if ("global", name) in names:
                return names["global", name]
            self.stale.add(name)
            return OPAQUE
        if name in names:
            return names[name]
        if name in self.frame.assigned:
            self.may_raise = True
            return OPAQUE
        return self.of_module(self.frame.module, name)

    def of_module(self, module, name):
        if name in module.globals:
            self.read_globals(module, (name,))
            return OPAQUE
        if not module.is_fixed(name) or module.is_star:
            return OPAQUE
        if name in module.functions:
            return Function(module, module.functions[name])
        if name in module.imports:
            return self.imported(module, *module.imports[name])
        if name in module.constants:
            return self.constant_of(module, name)
        return Builtin(name) if name not in module.bound and is_builtin(name) else OPAQUE

    def imported(self, module, owner, name):
        found = module.place.find(owner)
        if name is None:
            return ModuleValue(owner, found)
        if found is not None:
            return self.of_module(found, name)
        if module.place.find(name) is not None and owner == "":
            return ModuleValue(name, module.place.find(name))
        return Foreign(owner, name)

    def constant_of(self, module, name):
        """A module's own constant, worked out once."""
        if name not in module.values:
            module.values[name] = OPAQUE
            inner = object.__new__(type(self))
            inner.__dict__ = {**self.__dict__, "context": [], "effects": [], "writes": {}, "stale": set(), "branching": 0}
            inner.frame = Frame(module, None, False)
            value = inner.value(module.constants[name], {})
            self.steps = inner.steps
            if is_kept(name, value, module) and isinstance(value, (Const, Data, Function, ModuleValue, Builtin, Foreign, Pattern)):
                module.values[name] = value
        return module.values[name]



    def effect(self):
        """Something happens here that later events can see: events that get here must be let through."""
        self.effects.append(both(*self.context))

    def hidden(self, node):
        """Code that is not followed: a nested function, a lambda."""
        self.may_raise = True
        for part in ast.walk(node):
            if isinstance(part, ast.Name) and part.id in self.frame.module.globals:
                # Whenever it is called.
                self.stale.add(part.id)
            if isinstance(part, (ast.Global, ast.Nonlocal)) or isinstance(part, ast.Name) and part.id in REFLECTION:
                self.effect()
            if isinstance(part, (ast.Subscript, ast.Attribute)) and not isinstance(part.ctx, ast.Load):
                self.effect()
            if isinstance(part, ast.Call):
                called = part.func
                if isinstance(called, ast.Attribute) and (called.attr in MUTATORS or self.is_impure and self.frame.module.module_of(called.value)):
                    self.effect()
                elif isinstance(called, ast.Name) and self.is_impure and not self.is_harmless(called.id):
                    self.effect()

    def is_harmless(self, name):
        """A builtin, or a function that, with everything it reaches, keeps no state."""
        module = self.frame.module
        if name not in module.bound:
            return name in SAFE_BUILTINS
        owner, _attribute = module.imports.get(name, ("", None))
        found = module.place.find(owner) if owner and module.is_fixed(name) else None
        return found is not None and not self.library.is_impure(found)

    def unresolved(self):
        """A call of something unknown: harmless unless some module in reach keeps something."""
        self.may_raise = True
        if self.is_impure:
            self.effect()
            self.read_globals(self.frame.module, self.frame.module.globals)
        return OPAQUE

    def read_globals(self, module, names):
        """They are read, or may be: of an earlier event, unless rule() has written them for this one."""
        self.stale.update(name for name in names if module is not self.top_module or ("global", name) not in self.top_names)

    def tick(self):
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise TooMuch

"""Follows `rule()` over all its paths without running it: under which conditions it can answer True, or leave a trace.

A state is (what must hold to get here, local names). Whatever is not understood is unknown, never wrong: a statement that
cannot be followed counts as an answer of True under the conditions that lead to it.
"""

import ast

from _caracal.necessary_calls import Calls
from _caracal.necessary_expressions import Expressions
from _caracal.necessary_formula import FALSE, TRUE, both, either
from _caracal.necessary_names import Names
from _caracal.necessary_read import NONE, UNKNOWN, compare, members
from _caracal.necessary_state import Frame, MAX_STATES, MAX_TURNS, OPAQUE, joined, merged
from _caracal.necessary_ask import ask
from _caracal.necessary_values import Const


class Walk(Names, Expressions, Calls):
    """One reading of one rule for one log type. `model`: {"paths": {name: steps or None}, "methods": {name: function's name}, "module"} or None."""

    def __init__(self, library, module, model):
        self.library = library
        self.model = model
        # The conditions at the current calls, outermost first.
        self.context = []
        self.effects = []
        # Global names: the conditions under which rule() writes them; those that may be read before that.
        self.writes = {}
        self.stale = set()
        # The module of rule() and the names at the statement of it that is under way.
        self.top_module = None
        self.top_names = {}
        self.may_raise = False
        self.steps = 0
        self.active = []
        # How many expressions are under way that are only looked at under a condition.
        self.branching = 0
        self.frame = Frame(module, None, False)
        self.is_impure = library.is_impure(module)
        if model is not None and model["module"] is not None:
            self.is_impure = self.is_impure or library.is_impure(model["module"])

    def block(self, body, states):
        for statement in body:
            states = [after for state in states for after in self.statement(statement, *state)]
            if len(states) > MAX_STATES:
                states = [merged(states)]
        return states

    def statement(self, node, condition, names):
        self.tick()
        self.context.append(condition)
        # Of its own: an expression may assign.
        names = dict(names)
        if self.frame.is_top:
            self.top_module, self.top_names = self.frame.module, names
        try:
            step = getattr(self, f"_do_{type(node).__name__}", None)
            return step(node, condition, names) if step else self._not_followed(node, condition, names)
        finally:
            self.context.pop()

    def _not_followed(self, _node, _condition, names):
        self.effect()
        self.may_raise = True
        self.leave(OPAQUE, names)
        return []

    def leave(self, value, names):
        self.frame.returns.append((both(*self.context[self.frame.start :]), value, names))

    def _do_Return(self, node, _condition, names):
        self.leave(NONE if node.value is None else self.value(node.value, names), names)
        return []

    def _do_Raise(self, node, _condition, names):
        self.may_raise = True
        for part in (node.exc, node.cause):
            if part is not None:
                self.value(part, names)
        return []

    def _do_Pass(self, _node, condition, names):
        return [(condition, names)]

    _do_Global = _do_Pass

    def _do_Import(self, node, condition, names):
        self.may_raise = True
        return [(condition, {**names, **{alias.asname or alias.name.partition(".")[0]: OPAQUE for alias in node.names}})]

    _do_ImportFrom = _do_Import

    def _do_Nonlocal(self, node, condition, names):
        return self._not_followed(node, condition, names)

    def _do_Expr(self, node, condition, names):
        self.value(node.value, names)
        return [(condition, names)]

    def _do_Assert(self, node, condition, names):
        self.may_raise = True
        return [(both(condition, ask(self.value(node.test, names), "truthy")[0]), names)]

    def _do_Assign(self, node, condition, names):
        value = self.value(node.value, names)
        for target in node.targets:
            names = self.assign(target, value, names, node.value)
        return [(condition, names)]

    def _do_AnnAssign(self, node, condition, names):
        if node.value is not None:
            names = self.assign(node.target, self.value(node.value, names), names, node.value)
        return [(condition, names)]

    def _do_AugAssign(self, node, condition, names):
        self.may_raise = True
        self.value(node.value, names)
        if isinstance(node.target, ast.Name):
            self.value(ast.Name(node.target.id, ast.Load()), names)
            if node.target.id not in self.frame.assigned - self.frame.globals or self.is_shared(node.target.id):
                self.effect()
        return [(condition, self.assign(node.target, UNKNOWN, names))]

    def _do_Delete(self, node, condition, names):
        self.may_raise = True
        for target in node.targets:
            names = self.assign(target, UNKNOWN, names)
        return [(condition, names)]

    def _do_FunctionDef(self, node, condition, names):
        # Called later, perhaps: what it does to others is done here, as far as is known.
        self.hidden(node)
        return [(condition, {**names, node.name: OPAQUE})]

    def _do_If(self, node, condition, names):
        yes, no = ask(self.value(node.test, names), "truthy")
        after = []
        if yes != FALSE:
            after += self.block(node.body, [(yes, names)])
        if no != FALSE:
            after += self.block(node.orelse, [(no, names)])
        return joined(condition, after)

    def _do_While(self, node, condition, names):
        names = self.forget(node, names)
        inside = both(condition, ask(self.value(node.test, names), "truthy")[0])
        self.block(node.body, [(inside, names)])
        return self.behind_loop(node, condition, names)

    def behind_loop(self, node, condition, names):
        names = self.forget(node, names)
        after = [(condition, names)]
        # Also past its `else`, when it is broken off.
        return after + self.block(node.orelse, after) if node.orelse else after

    def _do_For(self, node, condition, names):
        iterated = self.value(node.iter, names)
        self.may_raise = True
        names = self.forget(node, names)
        met = members(iterated)
        inside = both(condition, ask(iterated, "truthy")[0])
        if not isinstance(met, list):
            met = [met]
        elif len(met) > MAX_TURNS:
            met = [UNKNOWN]
        # Each turn on its own, after any others.
        for one in met:
            self.block(node.body, [(inside, self.assign(node.target, one, names))])
        return self.behind_loop(node, condition, names)

    def _do_Break(self, _node, _condition, _names):
        return []

    _do_Continue = _do_Break

    def _do_Try(self, node, condition, names):
        if any(isinstance(part, ast.Return) for statement in node.finalbody for part in ast.walk(statement)):
            return self._not_followed(node, condition, names)
        self.may_raise = True
        forgotten = self.forget(node, names)
        after = self.block(node.orelse, self.block(node.body, [(condition, names)]))
        for handler in node.handlers:
            if handler.type is not None:
                self.value(handler.type, forgotten)
            caught = {**forgotten, handler.name: OPAQUE} if handler.name else forgotten
            after = after + self.block(handler.body, [(condition, caught)])
        if node.finalbody:
            # It runs on every way out, also on those that return.
            self.block(node.finalbody, [(condition, forgotten)])
            after = [(one, self.forget(ast.Module(node.finalbody, []), left)) for one, left in after]
        return after

    def _do_Match(self, node, condition, names):
        subject = self.value(node.subject, names)
        after = []
        rest = TRUE
        for case in node.cases:
            yes, no, bound = self.pattern(case.pattern, subject, dict(names))
            if case.guard is not None:
                guard = ask(self.value(case.guard, bound), "truthy")
                yes, no = both(yes, guard[0]), either(no, both(yes, guard[1]))
            after += self.block(case.body, [(both(rest, yes), bound)])
            rest = both(rest, no)
        if rest != FALSE:
            after.append((rest, names))
        return joined(condition, after)

    def pattern(self, node, subject, names):
        """(matches, does not match, names after it)."""
        if isinstance(node, ast.MatchValue):
            return (*compare("Eq", subject, self.value(node.value, names)), names)
        if isinstance(node, ast.MatchSingleton):
            return (*compare("Is", subject, Const(node.value)), names)
        if isinstance(node, ast.MatchOr) and not any(isinstance(part, ast.MatchAs) for part in ast.walk(node)):
            found = [self.pattern(part, subject, names) for part in node.patterns]
            return either(*(one[0] for one in found)), both(*(one[1] for one in found)), names
        if isinstance(node, ast.MatchAs):
            yes, no, names = self.pattern(node.pattern, subject, names) if node.pattern else (TRUE, FALSE, names)
            if node.name:
                names = {**names, node.name: subject}
            return yes, no, names
        bound = {part.name: OPAQUE for part in ast.walk(node) if isinstance(part, (ast.MatchAs, ast.MatchStar)) and part.name}
        bound.update({part.rest: OPAQUE for part in ast.walk(node) if isinstance(part, ast.MatchMapping) and part.rest})
        self.may_raise = True
        return TRUE, TRUE, {**names, **bound}

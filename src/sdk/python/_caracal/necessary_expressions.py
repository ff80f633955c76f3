"""The values of expressions."""

import ast

from _caracal.necessary_formula import FALSE, TRUE, both, either
from _caracal.necessary_read import UNKNOWN, compare, constant, index_of, members, operate
from _caracal.necessary_state import Foreign, MAX_UNROLLED, ModuleValue, OPAQUE, TooMuch, collapsed, is_boolean, is_immutable
from _caracal.necessary_ask import ask
from _caracal.necessary_values import Chain, Comprehended, Const, Entries, Event, Lazy, Several, Truth, Value


class Expressions:
    """The part of a walk that reads expressions."""

    def value(self, node, names):
        """The value of an expression. `names` changes if it assigns (`:=`)."""
        self.tick()
        read = getattr(self, f"_of_{type(node).__name__}", None)
        if read:
            return read(node, names)
        self.may_raise = True
        for part in ast.iter_child_nodes(node):
            if isinstance(part, (ast.expr, ast.keyword)):
                self.value(part.value if isinstance(part, ast.keyword) else part, names)
        return UNKNOWN

    def _of_Constant(self, node, _names):
        return Const(node.value)

    def _of_Name(self, node, names):
        return self.lookup(node.id, names)

    def _of_Lambda(self, node, _names):
        self.hidden(node)
        return UNKNOWN

    def _of_NamedExpr(self, node, names):
        value = self.value(node.value, names)
        name = node.target.id
        if name in self.frame.globals:
            self.writes.setdefault(name, []).append(both(*self.context))
            self.stale.add(name)
        elif self.branching and name in names:
            names[name] = OPAQUE
        else:
            names[name] = self.assign(node.target, value, {})[name]
        return value

    def _of_Starred(self, node, names):
        self.value(node.value, names)
        return UNKNOWN

    def _of_Tuple(self, node, names):
        items = [self.value(part, names) for part in node.elts]
        if any(isinstance(part, ast.Starred) for part in node.elts):
            return UNKNOWN
        if all(isinstance(item, Const) for item in items):
            make = {ast.Tuple: tuple, ast.List: list, ast.Set: set}[type(node)]
            return constant(lambda: make(item.value for item in items))
        return Several(items)

    _of_List = _of_Set = _of_Tuple

    def _of_Dict(self, node, names):
        values = [self.value(part, names) for part in node.values]
        keys = [None if part is None else self.value(part, names) for part in node.keys]
        if all(isinstance(item, Const) for item in [*keys, *values]):
            return constant(lambda: {key.value: value.value for key, value in zip(keys, values)})
        self.may_raise = True
        if not all(isinstance(key, Const) and is_immutable(key) for key in keys):
            return UNKNOWN
        return Entries({key.value: value for key, value in zip(keys, values)})

    def _of_IfExp(self, node, names):
        yes, no = ask(self.value(node.test, names), "truthy")
        then, otherwise = self.under(yes, node.body, names), self.under(no, node.orelse, names)
        return collapsed([(yes, then), (no, otherwise)])

    def under(self, condition, node, names):
        """The value of an expression that is only looked at under a condition."""
        self.context.append(condition)
        self.branching += 1
        try:
            return self.value(node, names)
        finally:
            self.context.pop()
            self.branching -= 1

    def _of_BoolOp(self, node, names):
        is_and = isinstance(node.op, ast.And)
        reached = TRUE
        yes, no = (TRUE, FALSE) if is_and else (FALSE, TRUE)
        branches = []
        are_booleans = True
        for place, part in enumerate(node.values):
            value = self.under(reached, part, names) if place else self.value(part, names)
            pair = ask(value, "truthy")
            are_booleans = are_booleans and is_boolean(value)
            is_last = place == len(node.values) - 1
            branches.append((both(reached, TRUE if is_last else pair[1] if is_and else pair[0]), value))
            if is_and:
                yes, no = both(yes, pair[0]), either(no, both(reached, pair[1]))
                reached = both(reached, pair[0])
            else:
                yes, no = either(yes, both(reached, pair[0])), both(no, pair[1])
                reached = both(reached, pair[1])
        return Truth((yes, no)) if are_booleans else Chain((yes, no), branches, False)

    def _of_UnaryOp(self, node, names):
        value = self.value(node.operand, names)
        if isinstance(node.op, ast.Not):
            yes, no = ask(value, "truthy")
            return Truth((no, yes))
        if isinstance(node.op, ast.USub) and isinstance(value, Const):
            return constant(lambda: -value.value)
        self.may_raise = True
        return UNKNOWN

    def _of_BinOp(self, node, names):
        left, right = self.value(node.left, names), self.value(node.right, names)
        if not (isinstance(left, Const) and isinstance(right, Const)):
            self.may_raise = True
        return operate(type(node.op).__name__, left, right)

    def _of_Compare(self, node, names):
        left = self.value(node.left, names)
        yes, no = TRUE, FALSE
        for place, (operator, part) in enumerate(zip(node.ops, node.comparators)):
            right = self.under(yes, part, names) if place else self.value(part, names)
            name = type(operator).__name__
            self.note_comparison(name, left, right)
            pair = compare(name, left, right)
            yes, no = both(yes, pair[0]), either(no, pair[1])
            left = right
        return Truth((yes, no))

    def note_comparison(self, name, left, right):
        """Which comparisons may raise: all but equality, identity and membership in a constant list or tuple."""
        if name in ("Eq", "NotEq", "Is", "IsNot"):
            return
        if name in ("In", "NotIn") and (isinstance(right, Event) or isinstance(right, Const) and type(right.value) in (list, tuple)):
            return
        if name in ("In", "NotIn") and isinstance(left, (Const, Truth)) and isinstance(right, (Const, Several)):
            return
        self.may_raise = True

    def _of_Subscript(self, node, names):
        self.may_raise = True
        value = self.value(node.value, names)
        key = self.value(node.slice, names)
        return index_of(value, key)

    def _of_Attribute(self, node, names):
        value = self.value(node.value, names)
        if isinstance(value, ModuleValue):
            return self.of_module(value.module, node.attr) if value.module is not None else Foreign(value.name, node.attr)
        if isinstance(value, Event) and node.attr.startswith("_"):
            raise TooMuch
        self.may_raise = True
        return OPAQUE if type(value) is Value else UNKNOWN

    def _of_ListComp(self, node, names):
        """Unrolled over constants; otherwise one unknown iteration represents all."""
        self.may_raise = True
        inner = dict(names)
        try:
            if len(node.generators) == 1 and not node.generators[0].is_async:
                generator = node.generators[0]
                met = members(self.value(generator.iter, inner))
                if isinstance(met, list) and len(met) <= MAX_UNROLLED:
                    return self.unrolled(node, generator, met, inner)
            return Comprehended(*self.one_turn(node, inner))
        finally:
            # Its assignments (`:=`) are visible outside.
            names.update({part.target.id: OPAQUE for part in ast.walk(node) if isinstance(part, ast.NamedExpr)})

    _of_SetComp = _of_ListComp

    def _of_GeneratorExp(self, node, names):
        return Lazy(self._of_ListComp(node, names))

    def unrolled(self, node, generator, met, names):
        items = []
        for member in met:
            inner = self.assign(generator.target, member, dict(names))
            kept = TRUE
            for test in generator.ifs:
                yes, no = ask(self.value(test, inner), "truthy")
                if yes == FALSE:
                    kept = FALSE
                    break
                if no != FALSE:
                    return Comprehended(*self.one_turn(node, names))
            if kept != FALSE:
                items.append(self.value(node.elt, inner))
        if all(isinstance(item, Const) for item in items):
            make = set if isinstance(node, ast.SetComp) else list
            return constant(lambda: make(item.value for item in items))
        return Several(items)

    def one_turn(self, node, names):
        """(what must hold for there to be a turn, the value of one)."""
        names = dict(names)
        condition = TRUE
        for generator in node.generators:
            iterated = self.under(condition, generator.iter, names)
            condition = both(condition, ask(iterated, "truthy")[0])
            met = members(iterated)
            names = self.assign(generator.target, UNKNOWN if isinstance(met, list) else met, names)
            for test in generator.ifs:
                condition = both(condition, ask(self.under(condition, test, names), "truthy")[0])
        return condition, self.under(condition, node.elt, names)

    def _of_DictComp(self, node, names):
        self.may_raise = True
        self.one_turn(ast.GeneratorExp(ast.Tuple([node.key, node.value], ast.Load()), node.generators), names)
        return UNKNOWN

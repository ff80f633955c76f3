"""The results of calls; calls of the content's own functions are followed."""

import ast
import builtins

from _caracal.necessary_formula import TRUE, both
from _caracal.necessary_syntax import CACHE, CACHE_READERS, MUTATORS, REFLECTION, SAFE_BUILTINS, root
from _caracal.necessary_fold import is_fold_of_get
from _caracal.necessary_read import NONE, UNKNOWN, constant, deep_get, deep_walk, found_in, key_of, method, over
from _caracal.necessary_regex import texts_of
from _caracal.necessary_state import (
    CONSTANT_MAKERS,
    Builtin,
    Foreign,
    Frame,
    Function,
    MAX_DEPTH,
    ModuleValue,
    OPAQUE,
    all_or_any,
    as_text,
    can_be_followed,
    collapsed,
    is_kept,
)
from _caracal.necessary_ask import ask
from _caracal.necessary_values import Choice, Comprehended, Const, Event, Field, Lazy, Pattern, Several, Truth, Value


class Calls:
    """The part of a walk that reads calls."""

    def _of_Call(self, node, names):
        called = node.func
        keywords = {}
        owner = None
        if isinstance(called, ast.Attribute):
            owner = self.value(called.value, names)
            function = self.of_owner(owner, called.attr)
        else:
            function = self.value(called, names)
        arguments = [self.value(part, names) for part in node.args]
        spread = [part for part in node.args if isinstance(part, ast.Starred)]
        if spread:
            arguments = self.spread(node.args, names)
        for keyword in node.keywords:
            given = self.value(keyword.value, names)
            if keyword.arg is None:
                arguments = None
            else:
                keywords[keyword.arg] = given
        if owner is not None and function is None:
            return self.call_method(node, owner, called.attr, arguments, keywords)
        return self.call(function, arguments, keywords)

    def spread(self, nodes, names):
        """Arguments with `*constant` written out; None when that cannot be done."""
        arguments = []
        for part in nodes:
            if not isinstance(part, ast.Starred):
                arguments.append(self.value(part, names))
                continue
            value = self.value(part.value, names)
            if not isinstance(value, Const) or not isinstance(value.value, (list, tuple)):
                return None
            arguments.extend(Const(item) for item in value.value)
        return arguments

    def of_owner(self, owner, name):
        """A module's function; None when the owner is a value."""
        if not isinstance(owner, ModuleValue):
            return None
        return self.of_module(owner.module, name) if owner.module is not None else Foreign(owner.name, name)

    def call(self, function, arguments, keywords):
        if isinstance(function, Function) and arguments is not None:
            return self.call_function(function, arguments, keywords)
        if isinstance(function, Builtin):
            return self.call_builtin(function.name, arguments, keywords)
        if isinstance(function, Foreign):
            self.may_raise = True
            if function.module == "re" and arguments and not keywords and isinstance(arguments[0], Const) and type(arguments[0].value) is str:
                texts = texts_of(arguments[0].value)
                if function.name == "compile" and len(arguments) == 1:
                    return Pattern(texts)
                if function.name in ("search", "match", "fullmatch") and len(arguments) == 2:
                    return found_in(texts, arguments[1])
            if function.module.partition(".")[0] == CACHE:
                if function.name not in CACHE_READERS:
                    self.effect()
            elif arguments is None or self.may_call_back(function, arguments, keywords):
                return self.unresolved()
            return UNKNOWN
        return self.unresolved()

    def may_call_back(self, function, arguments, keywords):
        """A library's function that may call what it is given."""
        given = [*arguments, *keywords.values()]
        if any(isinstance(one, Function) for one in given):
            return True
        takes_functions = function.module in ("functools", "itertools", "operator") or function.name in ("sub", "subn")
        return (takes_functions or bool(keywords)) and any(type(one) is Value for one in given)

    def call_function(self, function, arguments, keywords):
        node, module = function.node, function.module
        if is_fold_of_get(node, module):
            keys = [key.value for key in arguments[1:] if isinstance(key, Const) and type(key.value) is str]
            if arguments and len(keys) == len(arguments) - 1 and keywords.keys() <= {"default"}:
                if keys:
                    return deep_get(arguments[0], keys, keywords.get("default", NONE))
            return UNKNOWN
        if len(self.active) >= MAX_DEPTH or node in self.active or not can_be_followed(node):
            return self.unresolved()
        names = self.bind(function, arguments, keywords)
        if names is None:
            return self.unresolved()
        outer, self.frame = self.frame, Frame(module, node, False, len(self.context))
        branching, self.branching = self.branching, 0
        self.active.append(node)
        try:
            after = self.block(node.body, [(TRUE, names)])
            ways = [(condition, value) for condition, value, _ in self.frame.returns] + [(condition, NONE) for condition, _ in after]
        finally:
            self.active.pop()
            self.frame = outer
            self.branching = branching
        return collapsed(ways)

    def bind(self, function, arguments, keywords):
        """Parameter → argument, or None if they do not fit or are ambiguous."""
        spec = function.node.args
        if spec.vararg or spec.kwarg:
            return None
        parameters = [argument.arg for argument in [*spec.posonlyargs, *spec.args]]
        if len(arguments) > len(parameters):
            return None
        names = dict(zip(parameters, arguments))
        defaults = dict(zip(parameters[len(parameters) - len(spec.defaults) :], spec.defaults))
        for argument, default in zip(spec.kwonlyargs, spec.kw_defaults):
            parameters.append(argument.arg)
            if default is not None:
                defaults[argument.arg] = default
        for name, value in keywords.items():
            if name not in parameters or name in names:
                return None
            names[name] = value
        for name in parameters:
            if name in names:
                if not is_kept(name, names[name], function.module):
                    names[name] = UNKNOWN
                continue
            if name not in defaults:
                return None
            default = defaults[name]
            names[name] = Const(default.value) if isinstance(default, ast.Constant) else UNKNOWN
        return names

    def call_builtin(self, name, arguments, keywords):
        if name == "bool" and arguments is not None and len(arguments) == 1:
            return Truth(ask(arguments[0], "truthy"))
        if name in ("any", "all") and arguments is not None and len(arguments) == 1:
            return Truth(all_or_any(arguments[0], name))
        if name == "isinstance":
            kind = arguments[1] if arguments is not None and len(arguments) == 2 else None
            # Only tests put them in the place of others.
            if isinstance(kind, Foreign) and kind.module == "unittest.mock" and not self.library.makes_mocks:
                return Const(False)
            return Truth((TRUE, TRUE))
        self.may_raise = True
        if name == "str" and arguments is not None and len(arguments) == 1 and not keywords:
            return over(arguments[0], as_text)
        if name in CONSTANT_MAKERS and arguments and not keywords and all(isinstance(one, Const) for one in arguments):
            return constant(lambda: CONSTANT_MAKERS[name](*(one.value for one in arguments)))
        if name in ("list", "tuple", "set", "frozenset", "sorted") and arguments and len(arguments) == 1 and not keywords:
            # The same members, whatever their order.
            inner = arguments[0].inner if isinstance(arguments[0], Lazy) else arguments[0]
            return inner if isinstance(inner, (Several, Comprehended)) else UNKNOWN
        if name in SAFE_BUILTINS or name == "print" or isinstance(getattr(builtins, name, None), type):
            # `map`, `filter` and `sorted` call what they are given.
            if arguments is None or any(isinstance(one, Function) for one in [*arguments, *keywords.values()]):
                return self.unresolved()
            return OPAQUE if any(type(one) is Value for one in arguments) else UNKNOWN
        if name in REFLECTION:
            self.effect()
            return UNKNOWN
        return self.unresolved()

    def call_method(self, node, owner, name, arguments, keywords):
        if isinstance(owner, Event):
            return self.call_event(owner, name, arguments, keywords)
        self.may_raise = True
        if name in MUTATORS:
            start = root(node.func.value)
            if start is None or self.is_shared(start) or start not in self.frame.assigned:
                self.effect()
            return UNKNOWN
        if arguments is None or type(owner) is Value or any(isinstance(one, Function) for one in [*arguments, *keywords.values()]):
            return self.unresolved()
        if isinstance(owner, (Function, Builtin, Foreign)):
            # `itertools.chain.from_iterable`
            return UNKNOWN
        return method(owner, name, arguments, keywords)

    def call_event(self, event, name, arguments, keywords):
        if name == "deep_walk" and arguments is not None and not event.exact:
            self.may_raise = True
            return deep_walk(arguments, keywords)
        if arguments is None or keywords.keys() - {"default"}:
            self.may_raise = True
            return UNKNOWN
        if event.exact and name != "get":
            self.may_raise = True
            return UNKNOWN
        keys = [one.value for one in arguments if isinstance(one, Const) and type(one.value) is str]
        default = keywords.get("default", NONE)
        if name == "get" and arguments and len(keys) >= 1 and isinstance(arguments[0], Const) and type(arguments[0].value) is str:
            return key_of(event, arguments[0].value, arguments[1] if len(arguments) > 1 else default)
        if name == "deep_get" and keys and len(keys) == len(arguments):
            return deep_get(event, keys, default)
        if name == "udm" and keys and len(keys) == len(arguments):
            return self.udm(event, keys, default)
        self.may_raise = True
        return UNKNOWN

    def udm(self, event, keys, default):
        """The data model's field, or the event's own: see `panther_core.enriched_event`."""
        model = self.model
        if model is not None and len(keys) == 1:
            name = keys[0]
            if name in model["paths"]:
                steps = model["paths"][name]
                if steps is None or name in model["methods"]:
                    self.may_raise = True
                    return self.unresolved() if name in model["methods"] else UNKNOWN
                return Field(steps, default, exact=True, is_mapped=True)
            if name in model["methods"]:
                self.may_raise = True
                return self.call(self.of_module(model["module"], model["methods"][name]), [Event()], {})
        first = deep_get(event, ["p_udm", *keys], NONE)
        second = deep_get(event, keys, NONE)
        one, other = ask(first, "truthy"), ask(second, "truthy")
        return Choice(
            [
                (one[0], first),
                (both(one[1], other[0]), second),
                (both(one[1], other[1]), default),
            ]
        )

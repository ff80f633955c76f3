"""The state of the other rules and the data models, from just before a suspect rule runs until just after."""

from itertools import chain
from operator import attrgetter, is_
from types import FunctionType

_parts_of = attrgetter("id", "kind", "main", "file", "files", "line", "rule", "functions", "suspicion")
_code_of = attrgetter("__code__", "__defaults__", "__kwdefaults__")

# Maximum number of lists, dicts and sets compared per rule: more are data.
_MAX_CONTAINERS = 200


def _cells(function):
    return [cell.cell_contents for cell in function.__closure__ or () if _is_filled(cell)]


def _is_filled(cell):
    try:
        return cell.cell_contents is cell.cell_contents
    except ValueError:
        return False


def _same(found, saved):
    return len(found) == len(saved) and all(map(is_, found, saved))


def _values(container):
    return [*dict.keys(container), *dict.values(container)] if isinstance(container, dict) else list(container)


class Others:
    """`rules`: those of the load; `models`: its data models; `tables`: what the engine finds them by."""

    __slots__ = ("_rules", "_modules", "_functions", "_models", "_containers", "_saved", "size")

    def __init__(self, rules, models, tables):
        self._rules = tuple(rules)
        self._modules = tuple(vars(rule.module) for rule in self._rules)
        self._models = tuple(model for model in models if hasattr(model, "methods"))
        functions = [rule.rule for rule in self._rules]
        functions.extend(function for rule in self._rules for _place, _name, function in rule.functions)
        functions.extend(value for names in self._modules for value in names.values())
        functions.extend(method for model in self._models for method in model.methods.values())
        self._functions = tuple({id(f): f for f in functions if type(f) is FunctionType}.values())
        held = [(rule.id, name, value) for rule, names in zip(self._rules, self._modules) for name, value in _held(names)]
        held.extend((None, "the list", table) for table in tables)
        self._containers = tuple(held)
        self.size = len(self._rules) + len(self._functions) + len(self._containers) + len(self._models)

    def take(self):
        self._saved = (
            [_parts_of(rule) for rule in self._rules],
            [_values(names) for names in self._modules],
            [(_code_of(function), _cells(function)) for function in self._functions],
            [_values(container) for _id, _name, container in self._containers],
            [_of_model(model) for model in self._models],
        )

    def changed(self, own):
        """The first thing of a rule other than `own` that is not what it was, or None."""
        parts, modules, functions, containers, models = self._saved
        for rule, names, saved_parts, saved in zip(self._rules, self._modules, parts, modules):
            if not _same(_parts_of(rule), saved_parts):
                return f"the functions of the rule {rule.id}"
            if rule.id != own.id and not _same(_values(names), saved):
                return f"names of the rule {rule.id}"
        names = vars(own.module) if hasattr(own, "module") else None
        for function, (code, cells) in zip(self._functions, functions):
            if function.__globals__ is not names and (_code_of(function) != code or not _same(_cells(function), cells)):
                return f"the code of {function.__code__.co_qualname} in {function.__code__.co_filename}"
        for (rule_id, name, container), saved in zip(self._containers, containers):
            if rule_id != own.id and not _same(_values(container), saved):
                return f"{name} of the rule {rule_id}" if rule_id else "the list of rules"
        for model, saved in zip(self._models, models):
            if not _same(_of_model(model), saved):
                return f"the data model {model.id}"
        return None


def _of_model(model):
    return list(chain((model.id, model._names), *map(_values, (model.paths, model.methods, model._plain, model._wild))))


def _held(names):
    """Lists, dicts and sets of a rule's module, one within another too."""
    seen = set()
    waiting = [(name, value) for name, value in names.items() if name[:2] != "__"]
    while waiting and len(seen) < _MAX_CONTAINERS:
        name, value = waiting.pop()
        if type(value) not in (list, dict, set) or id(value) in seen:
            continue
        seen.add(id(value))
        yield name, value
        waiting.extend((name, item) for item in _values(value))

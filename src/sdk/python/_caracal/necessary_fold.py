"""Whether a helper function follows keys through nested mappings, judged by what it does and not by how it is written."""

import ast


def is_fold_of_get(node, module):
    """True for `f(start, *keys, default=None)` that does what the event's `deep_get` does, as a reduction or as a loop."""
    given = node.args
    if len(given.args) != 1 or given.posonlyargs or not given.vararg or given.kwarg or given.defaults or len(given.kwonlyargs) != 1:
        return False
    if not _is_none(given.kw_defaults[0]):
        return False
    start, keys, default = given.args[0].arg, given.vararg.arg, given.kwonlyargs[0].arg
    body = node.body[1:] if _is_text(node.body[0]) else node.body
    if len(body) < 2 or not _is_assignment(body[0]):
        return False
    name, first = body[0].targets[0].id, body[0].value
    if _is_name(first, start):
        if not isinstance(body[1], ast.For) or not _is_step_of_loop(body[1], name, keys, default, module):
            return False
        end = body[2:]
    elif _is_reduction(first, start, keys, default, module):
        end = body[1:]
    else:
        return False
    return _is_end(end, name, default)


def _is_reduction(node, start, keys, default, module):
    if not isinstance(node, ast.Call) or node.keywords or len(node.args) != 3 or not _is_imported(node.func, module, "reduce", ("functools",)):
        return False
    step, over, begin = node.args
    if not isinstance(step, ast.Lambda) or not _is_name(over, keys) or not _is_name(begin, start):
        return False
    given = step.args
    if len(given.args) != 2 or given.vararg or given.kwarg or given.kwonlyargs or given.defaults or given.posonlyargs:
        return False
    return _is_get_or_default(step.body, given.args[0].arg, given.args[1].arg, default, module)


def _is_step_of_loop(loop, name, keys, default, module):
    if not isinstance(loop.target, ast.Name) or not _is_name(loop.iter, keys) or loop.orelse or len(loop.body) != 1:
        return False
    step = loop.body[0]
    if not _is_assignment(step) or step.targets[0].id != name:
        return False
    return _is_get_or_default(step.value, name, loop.target.id, default, module)


def _is_get_or_default(node, value, key, default, module):
    """`value.get(key, default) if isinstance(value, Mapping) else default`, by whatever names."""
    if len({value, key, default}) != 3 or not isinstance(node, ast.IfExp) or not _is_name(node.orelse, default):
        return False
    test, get = node.test, node.body
    if not isinstance(test, ast.Call) or test.keywords or len(test.args) != 2 or not _is_name(test.func, "isinstance"):
        return False
    if "isinstance" in module.bound or not _is_name(test.args[0], value):
        return False
    if not _is_imported(test.args[1], module, "Mapping", ("collections.abc", "typing")):
        return False
    if not isinstance(get, ast.Call) or get.keywords or len(get.args) != 2:
        return False
    is_method = isinstance(get.func, ast.Attribute) and get.func.attr == "get" and _is_name(get.func.value, value)
    return is_method and _is_name(get.args[0], key) and _is_name(get.args[1], default)


def _is_end(body, name, default):
    """The default for None, else the value: as two returns or as one."""
    if len(body) == 1 and isinstance(body[0], ast.Return) and isinstance(body[0].value, ast.IfExp):
        choice = body[0].value
        return _asks_none(choice.test, name) and _is_name(choice.body, default) and _is_name(choice.orelse, name)
    if len(body) != 2 or not isinstance(body[0], ast.If) or body[0].orelse or len(body[0].body) != 1:
        return False
    inner, last = body[0].body[0], body[1]
    if not isinstance(inner, ast.Return) or not isinstance(last, ast.Return) or not _asks_none(body[0].test, name):
        return False
    return _is_name(inner.value, default) and _is_name(last.value, name)


def _is_imported(node, module, name, places):
    return isinstance(node, ast.Name) and module.imports.get(node.id) in [(place, name) for place in places]


def _asks_none(node, name):
    if not isinstance(node, ast.Compare) or len(node.ops) != 1 or not isinstance(node.ops[0], ast.Is):
        return False
    return _is_name(node.left, name) and _is_none(node.comparators[0])


def _is_assignment(node):
    return isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)


def _is_name(node, name):
    return isinstance(node, ast.Name) and node.id == name


def _is_none(node):
    return isinstance(node, ast.Constant) and node.value is None


def _is_text(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)

"""Packages that rules may import although they are not here: using them says so, importing them does not fail.

Rules and helpers written for the hosted service import these at the top and use them, if at all, in a function that is
never called here. They have no network to work with. What a module makes of them while it is imported (a client, a session,
a class of its own) is there; the error comes when a rule uses it.
"""

import sys
import types
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec

_ABSENT = frozenset(("boto3", "botocore", "datadog", "datadog_lambda", "requests", "urllib3", "jsonpath_ng"))
# Whose frames stand right below a module that is being imported.
_IMPORTERS = frozenset(("_caracal.loader", "_caracal.shipped", "importlib._bootstrap", "_frozen_importlib"))


def _is_importing():
    """Is a module being executed further up?"""
    frame = sys._getframe(1)
    while frame is not None:
        below = frame.f_back
        if frame.f_code.co_name == "<module>" and below is not None and below.f_globals.get("__name__") in _IMPORTERS:
            return True
        frame = below
    return False


def _refuse(name, what="used"):
    package = name.partition(".")[0]
    raise NotImplementedError(f"'{name}' was {what}: the package '{package}' is not available to rules, which have no network")


def _attribute(owner, name):
    # Exceptions must be classes: they stand in `except` clauses that never match.
    if name.endswith(("Error", "Exception", "Timeout")):
        return type(name, (Exception,), {"__module__": owner})
    return AbsentThing(f"{owner}.{name}")


class AbsentPackage(types.ModuleType):
    """A module whose every name is a thing that fails when it is used."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        value = _attribute(self.__name__, name)
        setattr(self, name, value)
        return value


class AbsentBase:
    """Base of classes that derive from a name in an absent package."""

    _name = "?"

    def __new__(cls, *_arguments, **_options):
        return super().__new__(cls) if _is_importing() else _refuse(cls._name, "called")

    def __init__(self, *_arguments, **_options):
        pass

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return _attribute(self._name, name)


def _method(name):
    def method(self, *_arguments, **_options):
        return AbsentThing(f"{self._name}.{name}") if _is_importing() else _refuse(f"{self._name}.{name}", "called")

    method.__name__ = name
    return method


# Methods that classes of rules call as `super().send(...)`, which bypasses `__getattr__`.
for _name in ("send", "request", "get", "post", "put", "patch", "delete", "head", "options", "mount", "close", "init_poolmanager"):
    setattr(AbsentBase, _name, _method(_name))


class AbsentThing:
    """Something of an absent package."""

    def __init__(self, name):
        self._name = name
        self._base = None

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return _attribute(self._name, name)

    def __mro_entries__(self, _bases):
        if self._base is None:
            self._base = type(self._name.rpartition(".")[2], (AbsentBase,), {"_name": self._name})
        return (self._base,)

    def __instancecheck__(self, instance):
        return self._base is not None and isinstance(instance, self._base)

    def __subclasscheck__(self, kind):
        return self._base is not None and issubclass(kind, self._base)

    def __call__(self, *_arguments, **_options):
        return AbsentThing(self._name) if _is_importing() else _refuse(self._name, "called")

    def __or__(self, _other):
        # `requests.Session | None` is a type hint.
        return self

    __ror__ = __or__

    def __repr__(self):
        return f"<{self._name}, which is not here>"


def _operator(name):
    def use(self, *_arguments):
        return self if name == "__getitem__" and _is_importing() else _refuse(self._name)

    use.__name__ = name
    return use


for _name in "getitem iter len contains enter str int float lt gt".split():
    setattr(AbsentThing, f"__{_name}__", _operator(f"__{_name}__"))
AbsentThing.__exit__ = lambda *_arguments: None
# With `__len__` alone, a truth test of a client would use it.
AbsentThing.__bool__ = lambda _self: True
AbsentThing.__setitem__ = lambda self, *_arguments: None if _is_importing() else _refuse(self._name)


class AbsentFinder(MetaPathFinder):
    """Last in line: an own helper of the name wins."""

    def find_spec(self, fullname, path=None, target=None):
        if fullname.partition(".")[0] in _ABSENT:
            return ModuleSpec(fullname, self, origin="absent", is_package=True)
        return None

    def create_module(self, spec):
        return AbsentPackage(spec.name)

    def exec_module(self, module):
        pass


def install():
    sys.meta_path.append(AbsentFinder())
    # Python's own parts that reach for what is not here.
    import _caracal.event_loop

    _caracal.event_loop.install()

"""Packages that rules may import although they are not here: using them says so, importing them does not fail.

Rules and helpers written for the hosted service import these at the top and use them, if at all, in a function that is
never called here. They have no network to work with.
"""

import sys
import types
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec

_ABSENT = frozenset(("boto3", "botocore", "datadog", "datadog_lambda", "requests", "urllib3", "jsonpath_ng"))


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


class AbsentThing:
    """Something of an absent package."""

    def __init__(self, name):
        self._name = name

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return _attribute(self._name, name)

    def __call__(self, *_arguments, **_options):
        package = self._name.partition(".")[0]
        raise NotImplementedError(f"'{self._name}' was called: the package '{package}' is not available to rules, which have no network")


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

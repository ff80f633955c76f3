"""Common names for fields that differ between log types: what `event.udm(name)` reads."""

from panther_core.exceptions import PantherError
from panther_core.immutable import _wrap_dict, wrap
from panther_core.json_path import find, parse

MISSING = object()


class DataModel:
    """The mappings of one data model. `paths`: name -> path text; `methods`: name -> function of the event."""

    def __init__(self, model_id, paths, methods):
        self.id = model_id
        self.paths = dict(paths)
        self.methods = dict(methods)
        self._names = frozenset(self.paths) | frozenset(self.methods)
        # Nearly all paths consist of names only, and are followed without building lists of hits.
        self._plain = {}
        self._wild = {}
        for name, text in self.paths.items():
            try:
                steps = parse(text)
            except ValueError as error:
                raise PantherError(f"DataModel [{model_id}], mapping [{name}]: {error}") from None
            simple = all(type(step) is str for step in steps)
            (self._plain if simple else self._wild)[name] = steps

    def maps(self, name):
        return name in self._names

    def value(self, container, name):
        """The wrapped value of a mapped name in a raw event, or MISSING. Raises what a method raises."""
        steps = self._plain.get(name)
        if steps is not None:
            value = container
            for key in steps:
                if type(value) is not dict or key not in value:
                    value = MISSING
                    break
                value = value[key]
            if value is not MISSING:
                return wrap(value)
        elif name in self._wild:
            hit = self._one_hit(container, name)
            if hit is not None:
                return wrap(hit[0])
        method = self.methods.get(name)
        return MISSING if method is None else wrap(method(_wrap_dict(container)))

    def path(self, container, name):
        """The path of a name's value in this event (`client.ipAddress`), a method's name, or None."""
        steps = self._plain.get(name) or self._wild.get(name)
        if steps is not None:
            hit = self._one_hit(container, name)
            if hit is not None:
                return hit[1]
        method = self.methods.get(name)
        return None if method is None else method.__name__

    def _one_hit(self, container, name):
        hits = find(container, self._plain.get(name) or self._wild[name])
        if len(hits) > 1:
            raise PantherError(f"JSONPath [{self.paths[name]}] in DataModel [{self.id}], matched multiple fields.")
        return hits[0] if hits else None


class BrokenDataModel:
    """Stands for a model that could not be loaded: rules that ask it fail with the reason instead of missing events."""

    def __init__(self, model_id, reason):
        self.id = model_id
        self._reason = reason

    def maps(self, _name):
        raise PantherError(f"DataModel [{self.id}] could not be loaded: {self._reason}")

    def path(self, _container, name):
        return self.maps(name)

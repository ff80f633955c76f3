"""Countries by their ISO 3166-1 codes: a table in place of the package of this name."""

from pycountry.table import TABLE


class Country:
    """`alpha_2`, `alpha_3` and `name`."""

    __slots__ = ("alpha_2", "alpha_3", "name")

    def __init__(self, alpha_2, alpha_3, name):
        self.alpha_2 = alpha_2
        self.alpha_3 = alpha_3
        self.name = name

    def __repr__(self):
        return f"Country(alpha_2={self.alpha_2!r}, alpha_3={self.alpha_3!r}, name={self.name!r})"


class Countries:
    """All countries."""

    def __init__(self):
        self._all = [Country(*line.split(" ", 2)) for line in TABLE.strip().split("\n")]
        self._by = {key: {getattr(item, key).lower(): item for item in self._all} for key in Country.__slots__}

    def get(self, *, default=None, **key):
        """The country with that `alpha_2`, `alpha_3` or `name`, without regard to case, or `default`."""
        if len(key) != 1:
            raise TypeError("Only one criteria may be given")
        ((field, value),) = key.items()
        return self._by.get(field, {}).get(value.lower(), default)

    def lookup(self, value):
        """The country with that code or name. Raises LookupError."""
        for table in self._by.values():
            if value.lower() in table:
                return table[value.lower()]
        raise LookupError(f"Could not find a record for {value!r}")

    def __iter__(self):
        return iter(self._all)

    def __len__(self):
        return len(self._all)


countries = Countries()

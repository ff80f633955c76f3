"""Countries by their ISO 3166-1 codes: a table in place of the package of this name."""

import re

from pycountry.table import TABLE

# Common short names, where the standard's name differs.
_COMMON = {
    "BO": "Bolivia",
    "IR": "Iran",
    "KP": "North Korea",
    "KR": "South Korea",
    "LA": "Laos",
    "MD": "Moldova",
    "SY": "Syria",
    "TW": "Taiwan",
    "TZ": "Tanzania",
    "VE": "Venezuela",
    "VN": "Vietnam",
}
# How official names, which the table does not have, are recognised.
_OFFICIAL = re.compile(
    r"republic|kingdom|state|federa|union|emirate|principality|duchy|common|sultanate|people|nation|territor|islands|"
    r"administrative",
    re.IGNORECASE,
)


def _refuse(what):
    raise NotImplementedError(
        f"pycountry: {what} not available to rules: there are countries with alpha_2, alpha_3, numeric, name, common_name and flag"
    )


class Country:
    """`alpha_2`, `alpha_3`, `numeric` and `name`, and `common_name` where it differs."""

    def __init__(self, alpha_2, alpha_3, numeric, name):
        self.alpha_2 = alpha_2
        self.alpha_3 = alpha_3
        self.numeric = numeric
        self.name = name
        # The two letters as regional indicators.
        self.flag = "".join(chr(ord(letter) - ord("A") + 0x1F1E6) for letter in alpha_2)
        if alpha_2 in _COMMON:
            self.common_name = _COMMON[alpha_2]

    def __getattr__(self, name):
        if name == "official_name":
            _refuse("official names of countries are")
        raise AttributeError(name)

    def __repr__(self):
        return f"Country({', '.join(f'{name}={value!r}' for name, value in sorted(vars(self).items()))})"

    def __iter__(self):
        return iter(vars(self).items())


class Countries:
    """All countries."""

    def __init__(self):
        self._all = [Country(*line.split(" ", 3)) for line in TABLE.strip().split("\n")]
        self._by = {}
        for country in self._all:
            for field, value in country:
                self._by.setdefault(field, {})[value.lower()] = country

    def get(self, *, default=None, **key):
        """The country with that code or name, without regard to case, or `default`."""
        if len(key) != 1:
            raise TypeError("Only one criteria may be given")
        ((field, value),) = key.items()
        if field == "official_name":
            _refuse("official names of countries are")
        if not isinstance(value, str):
            raise LookupError(f"a country's {field} is a text, and not {value!r}")
        return self._by[field].get(value.lower(), default)

    def lookup(self, value):
        """The country with that code or name. Raises LookupError."""
        if isinstance(value, str):
            for table in self._by.values():
                if value.lower() in table:
                    return table[value.lower()]
            if _OFFICIAL.search(value):
                _refuse(f"official names of countries, such as '{value}' may be, are")
        raise LookupError(f"Could not find a record for {value!r}")

    def search_fuzzy(self, query):
        _refuse(f"the search for '{query}' is")

    def __iter__(self):
        return iter(self._all)

    def __len__(self):
        return len(self._all)


class _Missing:
    """A table of the package that is not included."""

    def __init__(self, name):
        self._name = name

    def _use(self, *_arguments, **_options):
        _refuse(f"the table '{self._name}' is")

    get = lookup = search_fuzzy = match = partial_match = __iter__ = __len__ = __contains__ = _use


countries = Countries()
subdivisions, historic_countries, currencies = map(_Missing, ("subdivisions", "historic_countries", "currencies"))
languages, language_families, scripts = map(_Missing, ("languages", "language_families", "scripts"))

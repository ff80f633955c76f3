"""The rows of lookup tables that an event matched, by table and selector."""

from collections.abc import Mapping

from panther_base_helpers import deep_get


class LookupTableMatches:
    """The rows that one table, or all tables, matched for an event."""

    def __init__(self):
        self.lut_matches = None
        self._p_matched = {}

    @property
    def p_matched(self):
        """What the last `p_matches` found."""
        return self._p_matched

    def _register(self, event, lookuptable):
        self.lut_matches = event.deep_get("p_enrichment", lookuptable)

    def _lookup(self, match_field, *keys):
        """A column of the row of a selector; a list when the selector matched several; None when nothing did."""
        matches = self.lut_matches
        row = matches.get(match_field) if isinstance(matches, Mapping) else None
        if not row:
            return None
        if _is_list(row):
            return [deep_get(item, *keys) if item else None for item in row]
        if not isinstance(row, Mapping):
            return None if keys else row
        return deep_get(row, *keys) if keys else row

    def p_matches(self, event, p_match_value):
        """{table: row} of the rows that this value matched. If a table has several, the last one counts."""
        self._p_matched = {}
        enrichment = event.deep_get("p_enrichment") or {}
        for table, selectors in enrichment.items():
            if table.startswith("p_any_") or not isinstance(selectors, Mapping):
                continue
            for rows in selectors.values():
                for row in rows if _is_list(rows) else [rows]:
                    if isinstance(row, Mapping) and row.get("p_match") == p_match_value:
                        self._p_matched[table] = row
        return self._p_matched


def _is_list(value):
    return not isinstance(value, (str, bytes, Mapping)) and hasattr(value, "__iter__")

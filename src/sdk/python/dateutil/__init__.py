"""Dates beyond `datetime`: an own stand-in for the package of this name, for what rules use of it."""

__all__ = ["easter", "parser", "relativedelta", "rrule", "tz", "utils"]

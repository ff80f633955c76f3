"""Dates beyond `datetime`: our stand-in for the package of this name, with what rules use of it."""

__all__ = ["easter", "parser", "relativedelta", "rrule", "tz", "utils"]

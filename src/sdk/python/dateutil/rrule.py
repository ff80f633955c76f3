"""Recurrence rules: the names exist, but using them is an error."""

from dateutil.weekdays import FR, MO, SA, SU, TH, TU, WE, weekday

__all__ = ["DAILY", "HOURLY", "MINUTELY", "MONTHLY", "SECONDLY", "WEEKLY", "YEARLY", "rrule", "rruleset", "rrulestr", "weekday"]
__all__ += ["FR", "MO", "SA", "SU", "TH", "TU", "WE"]

YEARLY, MONTHLY, WEEKLY, DAILY, HOURLY, MINUTELY, SECONDLY = range(7)


def _refuse(name):
    raise NotImplementedError(f"'dateutil.rrule.{name}' was called: it is not available to rules, count with timedelta")


class rrule:
    def __init__(self, *_arguments, **_options):
        _refuse("rrule")


class rruleset:
    def __init__(self, *_arguments, **_options):
        _refuse("rruleset")


def rrulestr(*_arguments, **_options):
    _refuse("rrulestr")

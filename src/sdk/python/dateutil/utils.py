"""Small helpers for datetimes."""

from datetime import datetime, time


def today(tzinfo=None):
    """The last midnight."""
    return datetime.combine(datetime.now(tzinfo).date(), time(0, tzinfo=tzinfo))


def default_tzinfo(dt, tzinfo):
    """The datetime, in that zone if it has none."""
    return dt if dt.tzinfo is not None else dt.replace(tzinfo=tzinfo)


def within_delta(dt1, dt2, delta):
    """True if the two are at most `delta` apart."""
    return abs(dt1 - dt2) <= abs(delta)

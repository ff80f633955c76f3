"""`parse`: a datetime from text in almost any form."""

import re
import time
import warnings
from calendar import monthrange
from datetime import datetime, timedelta, tzinfo

from dateutil import tz
from dateutil.info import parserinfo
from dateutil.isoparser import isoparse, isoparser
from dateutil.reading import Reading

__all__ = ["ParserError", "UnknownTimezoneWarning", "isoparse", "isoparser", "parse", "parser", "parserinfo"]

# The most common form in logs, which Python reads itself. Everything else takes the slow path, which reads this form too.
_COMMON = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(Z| ?UTC|[+-]\d\d:?\d\d)?", re.ASCII)
_ZONES = {None: None, "Z": tz.UTC, "UTC": tz.UTC, " UTC": tz.UTC}


class ParserError(ValueError):
    """The text cannot be read as a date."""

    def __str__(self):
        try:
            return self.args[0] % self.args[1:]
        except (IndexError, TypeError):
            return super().__str__()


class UnknownTimezoneWarning(RuntimeWarning):
    """The text names a time zone whose offset is not known."""


class parser:
    """Reads texts with the words of a `parserinfo`."""

    def __init__(self, info=None):
        self.info = info or parserinfo()

    def parse(self, timestr, default=None, ignoretz=False, tzinfos=None, **options):
        """As the function `parse`."""
        text = _text(timestr)
        with_tokens = options.pop("fuzzy_with_tokens", False)
        if with_tokens:
            options["fuzzy"] = True
        try:
            reading = Reading(text, self.info, **options)
        except (IndexError, ValueError) as error:
            raise ParserError("Unknown string format: %s", timestr) from error
        if reading.is_empty():
            raise ParserError("String does not contain a date: %s", timestr)
        try:
            found = _naive(reading, default or datetime.now().replace(hour=0, minute=0, second=0, microsecond=0))
        except ValueError as error:
            raise ParserError(str(error) + ": %s", timestr) from error
        if not ignoretz:
            found = _aware(found, reading, tzinfos, self.info)
        return (found, reading.skipped()) if with_tokens else found


_PARSER = parser()


def parse(timestr, parserinfo=None, **options):
    """
    A datetime; naive unless the text names a zone. Raises ParserError.

    What the text does not give comes from `default` (today at midnight). `dayfirst` and `yearfirst` decide where a date can be read
    in two ways, `fuzzy` steps over other words, `fuzzy_with_tokens` gives them as well, `ignoretz` leaves the zone out, and
    `tzinfos` says what names of zones mean.
    """
    if not options and parserinfo is None and isinstance(timestr, str):
        found = _COMMON.fullmatch(timestr)
        if found:
            try:
                return datetime.fromisoformat(timestr.removesuffix("UTC").rstrip()).replace(tzinfo=_zone(found.group(1)))
            except ValueError:
                # The slow path reports why.
                pass
    return (parser(parserinfo) if parserinfo else _PARSER).parse(timestr, **options)


def _zone(text):
    zone = _ZONES.get(text, False)
    if zone is False:
        seconds = int(text[1:3]) * 3600 + int(text[-2:]) * 60
        zone = tz.tzoffset(None, -seconds if text[0] == "-" else seconds) if seconds else tz.UTC
        if len(_ZONES) < 1000:
            _ZONES[text] = zone
    return zone


def _text(timestr):
    if hasattr(timestr, "read"):
        timestr = timestr.read()
    if isinstance(timestr, (bytes, bytearray)):
        timestr = timestr.decode()
    if not isinstance(timestr, str):
        raise TypeError(f"Parser must be a string or character stream, not {type(timestr).__name__}")
    return timestr


def _naive(reading, default):
    fields = reading.fields()
    if "day" not in fields:
        last = monthrange(fields.get("year", default.year), fields.get("month", default.month))[1]
        fields["day"] = min(default.day, last)
    found = default.replace(**fields)
    if reading.weekday is not None and not reading.day:
        found += timedelta(days=(reading.weekday - found.weekday()) % 7)
    return found


def _aware(naive, reading, tzinfos, info):
    name, offset = reading.tzname, reading.tzoffset
    if callable(tzinfos) or (tzinfos and name in tzinfos):
        return naive.replace(tzinfo=_named(tzinfos, name, offset))
    if name and name in time.tzname:
        return naive.replace(tzinfo=tz.UTC if name in info.UTCZONE else tz.tzlocal())
    if offset is not None:
        return naive.replace(tzinfo=tz.tzoffset(name, offset) if offset else tz.UTC)
    if name:
        warnings.warn(
            f"the offset of the time zone '{name}' is not known, so that the time has none: say it with `tzinfos`",
            category=UnknownTimezoneWarning,
            stacklevel=4,
        )
    return naive


def _named(tzinfos, name, offset):
    zone = tzinfos(name, offset) if callable(tzinfos) else tzinfos.get(name)
    if zone is None or isinstance(zone, tzinfo):
        return zone
    if isinstance(zone, str):
        return tz.tzstr(zone)
    if isinstance(zone, int):
        return tz.tzoffset(name, zone)
    raise TypeError(f"a time zone is a tzinfo, a text or a number of seconds, and not {type(zone).__name__}")

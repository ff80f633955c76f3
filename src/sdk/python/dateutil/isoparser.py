"""`isoparse`: dates and times that follow ISO 8601, and nothing else."""

import re
from datetime import date, datetime, timedelta

from dateutil import tz

_DATE = re.compile(
    r"(?P<year>\d{4})(?:-(?P<m1>\d\d)(?:-(?P<d1>\d\d))?|(?P<m2>\d\d)(?P<d2>\d\d)"
    r"|-W(?P<w1>\d\d)(?:-(?P<wd1>\d))?|W(?P<w2>\d\d)(?P<wd2>\d)?|-?(?P<ordinal>\d{3}))?",
    re.ASCII,
)
# Only a complete date may precede a time.
_WHOLE = re.compile(r"\d{4}-\d\d-\d\d|\d{8}|\d{4}-W\d\d-\d|\d{4}W\d{3}|\d{4}-?\d{3}", re.ASCII)
_TIME = re.compile(
    r"(?=..)(?:(?P<hour>\d\d)(?::(?P<m1>\d\d)(?::(?P<s1>\d\d)(?P<f1>[.,]\d+)?)?|(?P<m2>\d\d)(?:(?P<s2>\d\d)(?P<f2>[.,]\d+)?)?)?)?"
    r"(?P<zone>[Zz]|[+-]\d\d(?::?\d\d)?)?",
    re.ASCII,
)


class isoparser:
    """`sep` is the only character allowed between date and time; by default any is."""

    def __init__(self, sep=None):
        if sep is not None and (len(sep) != 1 or ord(sep) >= 128 or sep.isdigit()):
            raise ValueError("the separator must be one ASCII sign that is no digit")
        self._sep = sep

    def isoparse(self, dt_str):
        """A datetime. Raises ValueError."""
        text = _ascii(dt_str)
        if found := _DATE.fullmatch(text):
            day = _date(found)
            return datetime(day.year, day.month, day.day)
        if found := _WHOLE.match(text):
            end = found.end()
            if end < len(text) and self._sep in (None, text[end]) and (clock := _TIME.fullmatch(text, end + 1)):
                return _joined(_date(_DATE.fullmatch(found.group())), clock)
        raise ValueError(f"'{text}' is no date and time by ISO 8601")

    def parse_isodate(self, datestr):
        """A date. Raises ValueError."""
        found = _DATE.fullmatch(_ascii(datestr))
        if not found:
            raise ValueError(f"'{datestr}' is no date by ISO 8601")
        return _date(found)

    def parse_isotime(self, timestr):
        """A time. Raises ValueError."""
        found = _TIME.fullmatch(_ascii(timestr))
        if not found:
            raise ValueError(f"'{timestr}' is no time by ISO 8601")
        return _joined(date(2000, 1, 1), found).timetz()


def _ascii(text):
    if hasattr(text, "read"):
        text = text.read()
    return text.decode("ascii") if isinstance(text, bytes) else text.encode("ascii").decode("ascii")


def _date(found):
    part = found.groupdict()
    year = int(part["year"])
    if week := part["w1"] or part["w2"]:
        return date.fromisocalendar(year, int(week), int(part["wd1"] or part["wd2"] or 1))
    if part["ordinal"]:
        day = date(year, 1, 1) + timedelta(days=int(part["ordinal"]) - 1)
        if day.year != year:
            raise ValueError(f"{year} has no day {part['ordinal']}")
        return day
    return date(year, int(part["m1"] or part["m2"] or 1), int(part["d1"] or part["d2"] or 1))


def _joined(day, clock):
    part = clock.groupdict()
    hour, minute, second = int(part["hour"] or 0), int(part["m1"] or part["m2"] or 0), int(part["s1"] or part["s2"] or 0)
    micro = int((part["f1"] or part["f2"] or ".0")[1:7].ljust(6, "0"))
    midnight = hour == 24
    if midnight and (minute or second or micro):
        raise ValueError("hour 24 is only for 24:00")
    found = datetime(day.year, day.month, day.day, 0 if midnight else hour, minute, second, micro, _zone(part["zone"]))
    return found + timedelta(days=1) if midnight else found


def _zone(text):
    if text is None:
        return None
    if text in "Zz":
        return tz.UTC
    hours, minutes = int(text[1:3]), int(text[3:].lstrip(":") or 0)
    if hours > 23 or minutes > 59:
        raise ValueError(f"'{text}' is no offset from UTC")
    seconds = (hours * 60 + minutes) * 60
    return tz.tzoffset(None, -seconds if text[0] == "-" else seconds) if seconds else tz.UTC


isoparse = isoparser().isoparse

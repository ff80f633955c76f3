"""Time zones: UTC, fixed offsets and local time. Zones with rules need data that is not included, and raise an error that says so."""

import re
import time
from datetime import timedelta, timezone, tzinfo

_ZERO = timedelta(0)


class _Fixed(tzinfo):
    def dst(self, dt):
        return _ZERO

    def fromutc(self, dt):
        return dt + self.utcoffset(dt)

    def is_ambiguous(self, dt):
        return False

    def __ne__(self, other):
        return not self == other

    __hash__ = None


class tzutc(_Fixed):
    """UTC, a singleton."""

    _only = None

    def __new__(cls):
        if cls._only is None:
            cls._only = super().__new__(cls)
        return cls._only

    def utcoffset(self, dt):
        return _ZERO

    def tzname(self, dt):
        return "UTC"

    def __eq__(self, other):
        if not isinstance(other, (tzutc, tzoffset)):
            return NotImplemented
        return isinstance(other, tzutc) or other.utcoffset(None) == _ZERO

    def __repr__(self):
        return "tzutc()"

    def __reduce__(self):
        return (tzutc, ())


class tzoffset(_Fixed):
    """A fixed offset in seconds (or as a timedelta) east of UTC."""

    def __init__(self, name, offset):
        self._name = name
        self._offset = offset if isinstance(offset, timedelta) else timedelta(seconds=offset)

    def utcoffset(self, dt):
        return self._offset

    def tzname(self, dt):
        return self._name

    def __eq__(self, other):
        return self._offset == other._offset if isinstance(other, tzoffset) else NotImplemented

    def __repr__(self):
        return f"tzoffset({self._name!r}, {int(self._offset.total_seconds())})"

    def __reduce__(self):
        return (tzoffset, (self._name, self._offset))


class tzlocal(_Fixed):
    """The interpreter's own time, which is UTC."""

    def utcoffset(self, dt):
        return timedelta(seconds=-time.timezone)

    def tzname(self, dt):
        return time.tzname[0]

    def __eq__(self, other):
        if isinstance(other, tzlocal):
            return True
        return other.utcoffset(None) == self.utcoffset(None) if isinstance(other, (tzutc, tzoffset)) else NotImplemented

    def __repr__(self):
        return "tzlocal()"


UTC = tzutc()

_UTC_NAMES = frozenset(("UTC", "GMT", "Etc/UTC", "Etc/GMT", "Etc/UCT", "Etc/Universal", "Etc/Zulu", "UCT", "Universal", "Zulu"))
# Zones without summer time, in hours east of UTC.
_FIXED = {"EST": -5, "MST": -7, "HST": -10}
_ETC = re.compile(r"Etc/GMT([+-])(\d{1,2})", re.ASCII)


class TimeZoneUnknown(Exception):
    """A zone whose rules are not included."""

    def __init__(self, name):
        super().__init__(
            f"dateutil.tz: the rules of the time zone '{name}' are not available to rules: "
            "use UTC or an offset, such as tz.tzoffset(None, -5 * 3600)"
        )


def gettz(name=None):
    """The zone of that name. Raises TimeZoneUnknown."""
    if not name:
        return tzlocal()
    if isinstance(name, bytes):
        name = name.decode()
    if name in _UTC_NAMES:
        return UTC
    etc = _ETC.fullmatch(name)
    if etc and int(etc.group(2)) <= 14:
        # In POSIX, `+` means west.
        hours = int(etc.group(2)) * (-1 if etc.group(1) == "+" else 1)
        return tzoffset(f"{hours:+03d}", hours * 3600) if hours else UTC
    if name in _FIXED:
        return tzoffset(name, _FIXED[name] * 3600)
    return _from_data(name)


def _from_data(name):
    import zoneinfo

    try:
        return zoneinfo.ZoneInfo(name)
    except Exception as error:
        # It is not known whether this zone exists: None would claim that it does not.
        raise TimeZoneUnknown(name) from error


def _refuse(kind):
    def refuse(*arguments, **_options):
        raise TimeZoneUnknown(", ".join(map(repr, arguments)) or kind)

    refuse.__name__ = kind
    return refuse


class tzrangebase(_Fixed):
    """The base of zones with rules."""


class tzrange(tzrangebase):
    __init__ = _refuse("tzrange")


class tzstr(tzrange):
    __init__ = _refuse("tzstr")


class tzfile(_Fixed):
    __init__ = _refuse("tzfile")


class tzical:
    __init__ = _refuse("tzical")


def _zone_of(dt, tz):
    if tz is None and dt.tzinfo is None:
        raise ValueError("the datetime has no time zone, and none was given")
    return tz or dt.tzinfo


def datetime_exists(dt, tz=None):
    """False for a time that a clock change skips."""
    zone = _zone_of(dt, tz)
    naive = dt.replace(tzinfo=None)
    return naive.replace(tzinfo=zone).astimezone(timezone.utc).astimezone(zone).replace(tzinfo=None) == naive


def datetime_ambiguous(dt, tz=None):
    """True for a time that occurs twice because of a clock change."""
    zone = _zone_of(dt, tz)
    return dt.replace(tzinfo=zone, fold=0).utcoffset() != dt.replace(tzinfo=zone, fold=1).utcoffset()


def resolve_imaginary(dt):
    """A time that exists: a skipped one is shifted by the clock change."""
    if dt.tzinfo is None or datetime_exists(dt):
        return dt
    day = timedelta(days=1)
    return dt + ((dt + day).utcoffset() - (dt - day).utcoffset())


def enfold(dt, fold=1):
    return dt.replace(fold=fold)

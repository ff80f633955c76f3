"""Dates and times from text: ISO 8601, `YYYY-MM-DD HH:MM:SS[.fraction] [zone]`, RFC 2822, and common log forms."""

import re
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

_ISO = re.compile(
    r"\s*(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[T\s]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?)?\s*(Z|UTC|GMT|[+-]\d{2}:?(?:\d{2})?)?\s*",
)
_FORMS = (
    "%d/%b/%Y:%H:%M:%S %z",
    "%b %d %Y %H:%M:%S",
    "%b %d, %Y %H:%M:%S",
    "%b %d, %Y",
    "%d %b %Y %H:%M:%S",
    "%d %b %Y",
    "%B %d, %Y",
    "%a %b %d %H:%M:%S %Y",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y",
    "%Y%m%dT%H%M%S",
    "%Y%m%dT%H%M%SZ",
    "%Y%m%d%H%M%S",
    "%Y%m%d",
)


class ParserError(ValueError):
    """The text is not a date that can be read."""


def _zone(text):
    if text is None:
        return None
    if text in ("Z", "UTC", "GMT"):
        return timezone.utc
    digits = text[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or 0))
    return timezone(-offset if text[0] == "-" else offset)


def parse(timestr, **_options):
    """A datetime; naive unless the text names a zone. Raises ParserError."""
    if isinstance(timestr, (bytes, bytearray)):
        timestr = timestr.decode()
    if not isinstance(timestr, str):
        raise TypeError(f"Parser must be a string or character stream, not {type(timestr).__name__}")
    found = _ISO.fullmatch(timestr)
    try:
        if found:
            year, month, day, hour, minute, second, fraction, zone = found.groups()
            micro = int((fraction or "")[:6].ljust(6, "0"))
            return datetime(
                int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), micro, _zone(zone)
            )
    except ValueError as error:
        raise ParserError(f"{error}: {timestr}") from error
    for form in _FORMS:
        try:
            parsed = datetime.strptime(timestr.strip(), form)
        except ValueError:
            continue
        return parsed.replace(tzinfo=timezone.utc) if form.endswith("Z") else parsed
    try:
        return parsedate_to_datetime(timestr)
    except (TypeError, ValueError, IndexError) as error:
        raise ParserError(f"Unknown string format: {timestr}") from error


def isoparse(timestr):
    """As `parse`, for ISO 8601."""
    return parse(timestr)

"""`Reading`: what the tokens of one text say about a date and a time."""

from decimal import Decimal, InvalidOperation

from dateutil.lexer import tokens_of
from dateutil.ymd import YearMonthDay

_HOUR, _MINUTE, _SECOND = range(3)


class Reading:
    """Reads the tokens once. Raises ValueError if they are not a date, and IndexError if the text ends too early."""

    def __init__(self, text, info, dayfirst=None, yearfirst=None, fuzzy=False):
        self._tokens = tokens_of(text)
        self._info = info
        self._fuzzy = fuzzy
        self._ymd = YearMonthDay()
        self._ampm = None
        self._skipped = []
        self.weekday = self.hour = self.minute = self.second = self.microsecond = self.tzname = self.tzoffset = None
        at = 0
        while at < len(self._tokens):
            at = self._read(at)
        self.year, self.month, self.day = self._ymd.resolve(
            info.yearfirst if yearfirst is None else yearfirst, info.dayfirst if dayfirst is None else dayfirst
        )
        if self.year is not None:
            self.year = info.convertyear(self.year, self._ymd.century_specified)
        self._settle_zone()

    def skipped(self):
        """The parts that do not belong to the date; adjacent tokens form one part."""
        parts, last = [], None
        for at in self._skipped:
            if last is not None and at == last + 1:
                parts[-1] += self._tokens[at]
            else:
                parts.append(self._tokens[at])
            last = at
        return tuple(parts)

    def fields(self):
        """The fields of a datetime that the text contains."""
        names = ("year", "month", "day", "hour", "minute", "second", "microsecond")
        return {name: value for name in names if (value := getattr(self, name)) is not None}

    def is_empty(self):
        return not self.fields() and self.weekday is None and self.tzname is None and self.tzoffset is None and self._ampm is None

    def _settle_zone(self):
        if (self.tzoffset == 0 and not self.tzname) or self.tzname in ("Z", "z"):
            self.tzname, self.tzoffset = "UTC", 0
        elif self.tzname and self._info.utczone(self.tzname):
            self.tzoffset = 0

    def _at(self, at):
        """The token, or a text that is not a token."""
        return self._tokens[at] if at < len(self._tokens) else ""

    def _read(self, at):
        """Reads the token at this position and those that belong to it; returns the position of the next one."""
        token, info = self._tokens[at], self._info
        if _is_number(token):
            return self._read_number(at) + 1
        if (weekday := info.weekday(token)) is not None:
            self.weekday = weekday
        elif (month := info.month(token)) is not None:
            return self._read_month(at, month)
        elif (half := info.ampm(token)) is not None:
            self._read_half(at, half)
        elif self._may_be_zone(token):
            self._read_zone_name(at)
        elif self.hour is not None and token in ("+", "-"):
            return self._read_offset(at)
        elif info.jump(token) or self._fuzzy:
            self._skipped.append(at)
        else:
            raise ValueError(f"'{token}' is no part of a date")
        return at + 1

    def _read_month(self, at, month):
        self._ymd.append(month, "M")
        separator = self._at(at + 1)
        if separator in ("-", "/"):
            # Jan-01, Jan-01-99
            self._ymd.append(self._tokens[at + 2])
            if self._at(at + 3) != separator:
                return at + 3
            self._ymd.append(self._tokens[at + 4])
            return at + 5
        if at + 4 < len(self._tokens) and separator == self._at(at + 3) == " " and self._info.pertain(self._at(at + 2)):
            # Jan of 01
            year = self._at(at + 4)
            if year.isdigit():
                self._ymd.append(str(self._info.convertyear(int(year))), "Y")
            return at + 5
        return at + 1

    def _read_half(self, at, half):
        # `a` and `am` are ordinary words too: in a text with other words they count only where they fit.
        fits = self.hour is not None and 0 <= self.hour <= 12
        if fits and not (self._fuzzy and self._ampm is not None):
            self.hour, self._ampm = _with_half(self.hour, half), half
        elif self._fuzzy:
            self._skipped.append(at)
        else:
            raise ValueError("AM or PM without an hour from 0 to 12")

    def _may_be_zone(self, token, offset_counts=True):
        return (
            self.hour is not None
            and self.tzname is None
            and (self.tzoffset is None or not offset_counts)
            and len(token) <= 5
            and (all("A" <= letter <= "Z" for letter in token) or token in self._info.UTCZONE)
        )

    def _read_zone_name(self, at):
        self.tzname = self._tokens[at]
        self.tzoffset = self._info.tzoffset(self.tzname)
        sign = self._at(at + 1)
        if sign in ("+", "-"):
            # `GMT+3` is three hours before GMT: one adds 3 to get GMT.
            self._tokens[at + 1] = "-" if sign == "+" else "+"
            self.tzoffset = None
            if self._info.utczone(self.tzname):
                self.tzname = None

    def _read_offset(self, at):
        sign = 1 if self._tokens[at] == "+" else -1
        digits = self._tokens[at + 1]
        end = at + 2
        if len(digits) == 4:
            hours, minutes = int(digits[:2]), int(digits[2:])
        elif self._at(end) == ":":
            hours, minutes = int(digits), int(self._tokens[end + 1])
            end += 2
        elif len(digits) <= 2:
            hours, minutes = int(digits), 0
        else:
            raise ValueError(f"'{digits}' is no offset")
        self.tzoffset = sign * (hours * 3600 + minutes * 60)
        name = self._at(end + 2)
        if (
            end + 3 < len(self._tokens)
            and self._info.jump(self._at(end))
            and self._at(end + 1) == "("
            and self._at(end + 3) == ")"
            and len(name) >= 3
            and self._may_be_zone(name, offset_counts=False)
        ):
            # -0300 (BRST)
            self.tzname = name
            end += 4
        return end

    def _read_number(self, at):
        """Returns the position of the last token that belongs to the number."""
        token, following = self._tokens[at], self._at(at + 1)
        value = _decimal(token)
        if len(self._ymd) == 3 and len(token) in (2, 4) and self.hour is None and following != ":" and self._unit(at + 1) is None:
            # 19990101T23[59]
            self.hour = int(token[:2])
            if len(token) == 4:
                self.minute = int(token[2:])
        elif len(token) == 6 or token.find(".") == 6:
            self._read_six(token)
        elif len(token) in (8, 12, 14):
            self._read_stamp(token)
        elif (unit_at := self._unit_place(at)) is not None:
            unit = self._unit(unit_at) + (0 if unit_at > at else 1)
            self._set_unit(unit, token, value)
            return max(at, unit_at)
        elif following == ":" and at + 2 < len(self._tokens):
            return self._read_clock(at, value)
        elif following in ("-", "/", "."):
            return self._read_parts(at, following)
        elif not following or self._info.jump(following):
            half = self._half(at + 2)
            if half is None:
                self._ymd.append(value)
                return at + 1
            self.hour = _with_half(int(value), half)
            return at + 2
        elif self._half(at + 1) is not None and 0 <= value < 24:
            self.hour = _with_half(int(value), self._half(at + 1))
            return at + 1
        elif self._ymd.could_be_day(value):
            self._ymd.append(value)
        elif not self._fuzzy:
            raise ValueError(f"'{token}' is no part of a date")
        return at

    def _read_six(self, token):
        if not len(self._ymd) and "." not in token:
            for start in (0, 2, 4):
                self._ymd.append(token[start : start + 2])
        else:
            self.hour, self.minute = int(token[:2]), int(token[2:4])
            self._set_seconds(token[4:])

    def _read_stamp(self, token):
        # YYYYMMDD[hhmm[ss]]
        self._ymd.append(token[:4], "Y")
        self._ymd.append(token[4:6])
        self._ymd.append(token[6:8])
        if len(token) > 8:
            self.hour, self.minute = int(token[8:10]), int(token[10:12])
        if len(token) > 12:
            self.second = int(token[12:])

    def _read_clock(self, at, hour):
        # HH:MM[:SS[.ss]]
        self.hour = int(hour)
        self._set_minutes(_decimal(self._tokens[at + 2]))
        if self._at(at + 3) == ":" and at + 4 < len(self._tokens):
            self._set_seconds(self._tokens[at + 4])
            return at + 4
        return at + 2

    def _read_parts(self, at, separator):
        # 01-01[-01], 01-Jan[-01]
        self._ymd.append(self._tokens[at])
        if not self._at(at + 2) or self._info.jump(self._at(at + 2)):
            return at + 1
        second = self._at(at + 2)
        if second.isdigit():
            self._ymd.append(second)
        else:
            self._append_month(second)
        if self._at(at + 3) != separator:
            return at + 2
        third = self._tokens[at + 4]
        if self._info.month(third) is None:
            self._ymd.append(third)
        else:
            self._append_month(third)
        return at + 4

    def _append_month(self, token):
        month = self._info.month(token)
        if month is None:
            raise ValueError(f"'{token}' is no month")
        self._ymd.append(month, "M")

    def _half(self, at):
        return self._info.ampm(self._at(at))

    def _unit(self, at):
        return self._info.hms(self._at(at))

    def _unit_place(self, at):
        """The position of the number's unit: after it (`12h`, `12 h`), or before it, where it belongs to a larger number (`12h04`, `12h 04`)."""
        if self._unit(at + 1) is not None:
            return at + 1
        if self._at(at + 1) == " " and self._unit(at + 2) is not None:
            return at + 2
        if at > 0 and self._unit(at - 1) is not None:
            return at - 1
        if 1 < at == len(self._tokens) - 1 and self._at(at - 1) == " " and self._unit(at - 2) is not None:
            return at - 2
        return None

    def _set_unit(self, unit, token, value):
        if unit == _HOUR:
            self.hour = int(value)
            if value % 1:
                self.minute = int(60 * (value % 1))
        elif unit == _MINUTE:
            self._set_minutes(value)
        elif unit == _SECOND:
            self._set_seconds(token)

    def _set_minutes(self, value):
        self.minute = int(value)
        self.second = int(60 * (value % 1)) if value % 1 else None

    def _set_seconds(self, text):
        whole, point, fraction = text.partition(".")
        self.second, self.microsecond = int(whole), int(fraction[:6].ljust(6, "0")) if point else 0


def _is_number(token):
    try:
        float(token)
    except ValueError:
        return False
    return True


def _decimal(token):
    try:
        value = Decimal(token)
    except InvalidOperation:
        value = None
    if value is None or not value.is_finite():
        raise ValueError(f"'{token}' is no number")
    return value


def _with_half(hour, half):
    if half == 1 and hour < 12:
        return hour + 12
    return 0 if half == 0 and hour == 12 else hour

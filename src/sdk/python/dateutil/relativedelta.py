"""`relativedelta`: differences in years and months, and fields that are set."""

import calendar
from datetime import date, datetime, timedelta

from dateutil.weekdays import FR, MO, SA, SU, TH, TU, WE, WEEKDAYS, weekday

__all__ = ["FR", "MO", "SA", "SU", "TH", "TU", "WE", "relativedelta", "weekday"]

_RELATIVE = ("years", "months", "days", "leapdays", "hours", "minutes", "seconds", "microseconds")
_ABSOLUTE = ("year", "month", "day", "weekday", "hour", "minute", "second", "microsecond")
# Larger numbers carry over into the next larger field.
_CARRY = (
    ("microseconds", "seconds", 1_000_000),
    ("seconds", "minutes", 60),
    ("minutes", "hours", 60),
    ("hours", "days", 24),
    ("months", "years", 12),
)


class relativedelta:
    """Plural names are added, singular ones are set; `relativedelta(dt1, dt2)` is the difference between two dates."""

    def __init__(self, dt1=None, dt2=None, *, weeks=0, yearday=None, nlyearday=None, **fields):
        unknown = fields.keys() - {*_RELATIVE, *_ABSOLUTE}
        if unknown:
            raise TypeError(f"relativedelta has no field '{min(unknown)}'")
        for name in _RELATIVE:
            setattr(self, name, fields.get(name, 0))
        for name in _ABSOLUTE:
            setattr(self, name, fields.get(name))
        if dt1 is not None and dt2 is not None:
            self._set_between(dt1, dt2)
            return
        if any(value != int(value) for value in (self.years, self.months)):
            raise ValueError("years and months of a relativedelta are whole numbers")
        self.years, self.months = int(self.years), int(self.months)
        self.days += weeks * 7
        if isinstance(self.weekday, int):
            self.weekday = WEEKDAYS[self.weekday]
        self._set_day_of_year(yearday, nlyearday)
        self._carry()

    @property
    def weeks(self):
        return int(self.days / 7)

    @weeks.setter
    def weeks(self, value):
        self.days += value * 7 - self.weeks * 7

    def normalized(self):
        """The same with whole numbers: fractions of days become hours, and so on."""
        fields = self._fields()
        for name, unit, size in (("days", "hours", 24), ("hours", "minutes", 60), ("minutes", "seconds", 60)):
            whole = int(fields[name])
            fields[unit] += round((fields[name] - whole) * size, 10)
            fields[name] = whole
        whole = int(fields["seconds"])
        fields["microseconds"] = round(fields["microseconds"] + (fields["seconds"] - whole) * 1_000_000)
        fields["seconds"] = whole
        return self.__class__(**fields)

    def _set_between(self, dt1, dt2):
        if not (isinstance(dt1, date) and isinstance(dt2, date)):
            raise TypeError("relativedelta only knows what is between dates and datetimes")
        if isinstance(dt1, datetime) != isinstance(dt2, datetime):
            dt1, dt2 = (one if isinstance(one, datetime) else datetime.fromordinal(one.toordinal()) for one in (dt1, dt2))
        months = (dt1.year - dt2.year) * 12 + dt1.month - dt2.month
        step = 1 if dt1 < dt2 else -1
        self._set_months(months)
        begin = dt2 + self
        # The whole months must not go past the first date.
        while dt1 > begin if step > 0 else dt1 < begin:
            months += step
            self._set_months(months)
            begin = dt2 + self
        rest = dt1 - begin
        self.seconds = rest.seconds + rest.days * 86_400
        self.microseconds = rest.microseconds
        self._carry()

    def _set_months(self, months):
        self.years, self.months = 0, months
        self._carry()

    def _set_day_of_year(self, yearday, nlyearday):
        day = nlyearday or yearday
        if not day:
            return
        if not nlyearday and yearday > 59:
            self.leapdays = -1
        if day > 366:
            raise ValueError(f"a year has no day {day}")
        for month in range(1, 13):
            length = calendar.monthrange(2001, month)[1]
            if day <= length or (month == 12 and day == length + 1):
                self.month, self.day = month, day
                return
            day -= length

    def _carry(self):
        for name, larger, size in _CARRY:
            value = getattr(self, name)
            if abs(value) >= size:
                sign = 1 if value > 0 else -1
                whole, rest = divmod(abs(value), size)
                setattr(self, name, rest * sign)
                setattr(self, larger, getattr(self, larger) + whole * sign)

    def _fields(self):
        return {name: getattr(self, name) for name in (*_RELATIVE, *_ABSOLUTE)}

    def _added(self, other, sign):
        fields = {name: getattr(self, name) + sign * getattr(other, name) for name in _RELATIVE}
        mine, others = (self, other) if sign < 0 else (other, self)
        fields["leapdays"] = mine.leapdays or others.leapdays
        for name in _ABSOLUTE:
            value = getattr(mine, name)
            fields[name] = value if value is not None else getattr(others, name)
        return self.__class__(**fields)

    def __add__(self, other):
        if isinstance(other, relativedelta):
            return self._added(other, 1)
        if isinstance(other, timedelta):
            return self._added(relativedelta(days=other.days, seconds=other.seconds, microseconds=other.microseconds), 1)
        return self._applied(other) if isinstance(other, date) else NotImplemented

    def _applied(self, day):
        if not isinstance(day, datetime) and self._has_time():
            day = datetime.fromordinal(day.toordinal())
        months = (self.month or day.month) - 1 + self.months
        year = (self.year or day.year) + self.years + months // 12
        month = months % 12 + 1
        set_fields = {"year": year, "month": month, "day": min(calendar.monthrange(year, month)[1], self.day or day.day)}
        set_fields.update((name, getattr(self, name)) for name in _ABSOLUTE[4:] if getattr(self, name) is not None)
        days = self.days + (self.leapdays if month > 2 and calendar.isleap(year) else 0)
        found = day.replace(**set_fields) + timedelta(
            days=days, hours=self.hours, minutes=self.minutes, seconds=self.seconds, microseconds=self.microseconds
        )
        return found + timedelta(days=_days_to(found, self.weekday)) if self.weekday else found

    def _has_time(self):
        return any(getattr(self, name) for name in _RELATIVE[4:]) or any(getattr(self, name) is not None for name in _ABSOLUTE[4:])

    __radd__ = __add__

    def __rsub__(self, other):
        return (-self).__radd__(other)

    def __sub__(self, other):
        return self._added(other, -1) if isinstance(other, relativedelta) else NotImplemented

    def _scaled(self, change):
        fields = self._fields()
        fields.update((name, change(fields[name])) for name in _RELATIVE if name != "leapdays")
        return self.__class__(**fields)

    def __neg__(self):
        return self._scaled(lambda value: -value)

    def __abs__(self):
        return self._scaled(abs)

    def __mul__(self, factor):
        try:
            factor = float(factor)
        except TypeError:
            return NotImplemented
        return self._scaled(lambda value: int(value * factor))

    __rmul__ = __mul__

    def __truediv__(self, divisor):
        try:
            return self * (1 / float(divisor))
        except TypeError:
            return NotImplemented

    def __bool__(self):
        return any(getattr(self, name) for name in _RELATIVE) or any(getattr(self, name) is not None for name in _ABSOLUTE)

    def _key(self):
        # `MO` and `MO(+1)` are the same.
        day = self.weekday and (self.weekday.weekday, self.weekday.n or 1)
        return (*(value for name, value in self._fields().items() if name != "weekday"), day)

    def __eq__(self, other):
        return self._key() == other._key() if isinstance(other, relativedelta) else NotImplemented

    def __hash__(self):
        return hash(self._key())

    def __repr__(self):
        parts = [f"{name}={getattr(self, name):+g}" for name in _RELATIVE if getattr(self, name)]
        parts += [f"{name}={getattr(self, name)!r}" for name in _ABSOLUTE if getattr(self, name) is not None]
        return f"relativedelta({', '.join(parts)})"


def _days_to(day, wanted):
    count = wanted.n or 1
    weeks = (abs(count) - 1) * 7
    if count > 0:
        return weeks + (wanted.weekday - day.weekday()) % 7
    return -(weeks + (day.weekday() - wanted.weekday) % 7)

"""Days of the week with a count: `MO`, `FR(-1)` for the last Friday."""


class weekday:
    """`n` counts forward from the date; negative values count backward."""

    __slots__ = ("weekday", "n")

    def __init__(self, weekday, n=None):
        if n == 0:
            raise ValueError("a count of days of the week is not 0")
        self.weekday = weekday
        self.n = n

    def __call__(self, n):
        return self if n == self.n else self.__class__(self.weekday, n)

    def __eq__(self, other):
        return self.weekday == getattr(other, "weekday", None) and self.n == getattr(other, "n", None)

    def __hash__(self):
        return hash((self.weekday, self.n))

    def __repr__(self):
        name = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")[self.weekday]
        return f"{name}({self.n:+d})" if self.n else name


MO, TU, WE, TH, FR, SA, SU = WEEKDAYS = tuple(weekday(day) for day in range(7))

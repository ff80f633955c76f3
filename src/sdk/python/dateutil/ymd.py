"""Which of a date's numbers is the year, which the month, which the day."""

from calendar import monthrange


class YearMonthDay:
    """The numbers in text order, with labels for those whose meaning is certain."""

    def __init__(self):
        self.values = []
        # 'Y', 'M' or 'D' -> index.
        self.labels = {}
        self.century_specified = False

    def __len__(self):
        return len(self.values)

    def append(self, value, label=None):
        """A number, or its digits. More than two digits are a year."""
        is_long = value.isdigit() and len(value) > 2 if isinstance(value, str) else value > 100
        if is_long:
            self.century_specified = True
            if label not in (None, "Y"):
                raise ValueError(label)
            label = "Y"
        self.values.append(int(value))
        if label:
            if label in self.labels:
                raise ValueError(f"{label} twice")
            self.labels[label] = len(self.values) - 1

    def could_be_day(self, value):
        if "D" in self.labels:
            return False
        if "M" not in self.labels:
            return 1 <= value <= 31
        # A leap year, while the year is unknown.
        year = self.values[self.labels["Y"]] if "Y" in self.labels else 2000
        return 1 <= value <= monthrange(year, self.values[self.labels["M"]])[1]

    def resolve(self, yearfirst, dayfirst):
        """(year, month, day), None for what is missing."""
        count, labelled = len(self.values), len(self.labels)
        if count > 3:
            raise ValueError("more than three numbers of a date")
        order = self._labelled() if (count == labelled > 0 or (count == 3 and labelled == 2)) else self._guess(yearfirst, dayfirst)
        found = dict(zip(order, self.values))
        return found.get("Y"), found.get("M"), found.get("D")

    def _labelled(self):
        order = [None] * len(self.values)
        for label, index in self.labels.items():
            order[index] = label
        if None in order:
            order[order.index(None)] = ({"Y", "M", "D"} - set(self.labels)).pop()
        return order

    def _guess(self, yearfirst, dayfirst):
        values, month = self.values, self.labels.get("M")
        if len(values) == 1:
            return "Y" if values[0] > 31 else "D"
        if len(values) == 2:
            return self._guess_two(month, dayfirst)
        return self._guess_three(month, yearfirst, dayfirst) if len(values) == 3 else ""

    def _guess_two(self, month, dayfirst):
        first, second = self.values
        if month is not None:
            other = "Y" if self.values[1 - month] > 31 else "D"
            return ("M", other) if month == 0 else (other, "M")
        if first > 31:
            return "YM"
        if second > 31:
            return "MY"
        return "DM" if dayfirst and second <= 12 else "MD"

    def _guess_three(self, month, yearfirst, dayfirst):
        first, second, third = self.values
        if month == 0:
            return "MYD" if second > 31 else "MDY"
        if month == 1:
            return "YMD" if first > 31 or (yearfirst and third <= 31) else "DMY"
        if month == 2:
            return "DYM" if second > 31 else "YDM"
        if first > 31 or self.labels.get("Y") == 0 or (yearfirst and second <= 12 and third <= 31):
            return "YDM" if dayfirst and third <= 12 else "YMD"
        return "DMY" if first > 12 or (dayfirst and second <= 12) else "MDY"

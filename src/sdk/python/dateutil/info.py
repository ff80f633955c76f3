"""`parserinfo`: the words that the parser knows. A subclass may have others, in the same shape."""

import time


class parserinfo:
    """Each table holds groups of synonyms; a word means its group's index in the table."""

    JUMP = [" ", ".", ",", ";", "-", "/", "'", "at", "on", "and", "ad", "m", "t", "of", "st", "nd", "rd", "th"]
    WEEKDAYS = [
        ("Mon", "Monday"),
        ("Tue", "Tuesday"),
        ("Wed", "Wednesday"),
        ("Thu", "Thursday"),
        ("Fri", "Friday"),
        ("Sat", "Saturday"),
        ("Sun", "Sunday"),
    ]
    MONTHS = [
        ("Jan", "January"),
        ("Feb", "February"),
        ("Mar", "March"),
        ("Apr", "April"),
        ("May", "May"),
        ("Jun", "June"),
        ("Jul", "July"),
        ("Aug", "August"),
        ("Sep", "Sept", "September"),
        ("Oct", "October"),
        ("Nov", "November"),
        ("Dec", "December"),
    ]
    HMS = [("h", "hour", "hours"), ("m", "minute", "minutes"), ("s", "second", "seconds")]
    AMPM = [("am", "a"), ("pm", "p")]
    UTCZONE = ["UTC", "GMT", "Z", "z"]
    PERTAIN = ["of"]
    TZOFFSET = {}

    def __init__(self, dayfirst=False, yearfirst=False):
        self.dayfirst = dayfirst
        self.yearfirst = yearfirst
        self._jump = _places(self.JUMP)
        self._weekdays = _places(self.WEEKDAYS)
        self._months = _places(self.MONTHS)
        self._hms = _places(self.HMS)
        self._ampm = _places(self.AMPM)
        self._pertain = _places(self.PERTAIN)
        self._utczone = _places(self.UTCZONE)

    def jump(self, name):
        return name.lower() in self._jump

    def weekday(self, name):
        return self._weekdays.get(name.lower())

    def month(self, name):
        place = self._months.get(name.lower())
        return None if place is None else place + 1

    def hms(self, name):
        return self._hms.get(name.lower())

    def ampm(self, name):
        return self._ampm.get(name.lower())

    def pertain(self, name):
        return name.lower() in self._pertain

    def utczone(self, name):
        return name.lower() in self._utczone

    def tzoffset(self, name):
        return 0 if name in self._utczone else self.TZOFFSET.get(name)

    def convertyear(self, year, century_specified=False):
        """A year of two digits is within fifty years of now."""
        if year >= 100 or century_specified:
            return year
        now = time.localtime().tm_year
        year += now // 100 * 100
        if year >= now + 50:
            return year - 100
        return year + 100 if year < now - 50 else year


def _places(groups):
    return {
        word.lower(): place for place, words in enumerate(groups) for word in (words if isinstance(words, tuple) else (words,))
    }

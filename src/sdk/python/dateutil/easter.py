"""The date of Easter: the name exists, but using it is an error."""

EASTER_JULIAN, EASTER_ORTHODOX, EASTER_WESTERN = 1, 2, 3


def easter(*_arguments, **_options):
    raise NotImplementedError("'dateutil.easter.easter' was called: it is not available to rules")

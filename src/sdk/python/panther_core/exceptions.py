"""Errors that rules may meet by name."""


class PantherError(Exception):
    """Something the event object cannot do for this event."""


class FunctionReturnTypeError(PantherError):
    """A rule's function returned a value of the wrong type."""


class UnknownDestinationError(PantherError):
    """A rule named a destination that does not exist."""

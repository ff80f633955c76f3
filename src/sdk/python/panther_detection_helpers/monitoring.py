"""Measuring of helper functions: the engine measures rules itself."""


def wrap(name=None, tags=None):
    """A decorator that changes nothing."""
    return lambda function: function

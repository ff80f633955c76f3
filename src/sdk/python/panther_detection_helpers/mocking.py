"""Whether a function is a test's stand-in."""

from unittest.mock import MagicMock


def is_mock(func):
    """True for a MagicMock."""
    return isinstance(func, MagicMock)

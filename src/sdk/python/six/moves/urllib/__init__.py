"""Python 3's `urllib`."""

from six.moves.urllib import parse

__all__ = ["parse"]

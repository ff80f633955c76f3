"""Python 3's `urllib.parse`."""

from urllib.parse import *  # noqa: F403
from urllib.parse import unquote_to_bytes  # noqa: F401

"""The module that rules import as `panther_core`: the event object and its containers."""

from panther_core.enriched_event import PantherEvent
from panther_core.exceptions import PantherError

__all__ = ["PantherError", "PantherEvent"]

"""The event object."""

from panther_core.enriched_event import PantherEvent

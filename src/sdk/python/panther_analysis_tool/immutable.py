"""The read-only containers of an event's values."""

from panther_core.immutable import ImmutableCaseInsensitiveDict, ImmutableList

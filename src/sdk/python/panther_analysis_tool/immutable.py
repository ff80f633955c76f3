"""The read-only containers that an event's values are."""

from panther_core.immutable import ImmutableCaseInsensitiveDict, ImmutableList

"""Where Python's `zoneinfo` looks for time zones: here is UTC, and a clear error for all others."""

def rule(event):
    if not event.get("success") or not event.get("is_admin"):
        return False
    # The table office_networks has a row for every address of an office.
    return event.deep_get("p_enrichment", "office_networks", "address") is None


def title(event):
    return f"Administrator {event.get('user')} signed in from {event.get('address')}, which is not an office"


def dedup(event):
    # All such sign-ins of a user within DedupPeriodMinutes are one alert.
    return event.get("user")

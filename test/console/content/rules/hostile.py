def rule(event):
    return event.get("user") is not None


def title(event):
    return f"Sign-in of {event.get('user')}"


def dedup(event):
    return event.get("user")


def alert_context(event):
    return event.to_dict()

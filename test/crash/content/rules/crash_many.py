def rule(event):
    return event.get("seq") % 7 == 0


def title(event):
    return f"lane {event.get('lane')}"

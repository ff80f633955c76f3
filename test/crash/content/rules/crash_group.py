def rule(event):
    return event.get("seq") % 5 == 0


def title(event):
    return f"group {event.get('group')}"


def alert_context(event):
    return {"seq": event.get("seq")}

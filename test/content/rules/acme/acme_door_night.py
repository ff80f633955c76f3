from acme_helpers import door_context, holder_name, is_open_hour

who = "nobody"


def rule(event):
    global who
    if event.udm("event_type") != "successful_login" or is_open_hour(event.get("hour")):
        return False
    who = holder_name(event.deep_get("badge", "id"))
    return True


def title(event):
    return f"{who} opened {event.get('door')} at {event.get('hour')}"


def dedup(event):
    return event.udm("actor_user", default="?")


def severity(event):
    return "HIGH" if event.get("DOOR") == "vault" else "DEFAULT"


def unique(event):
    return event.udm("source_ip")


def alert_context(event):
    return door_context(event) | {"path": event.udm_path("actor_user")}

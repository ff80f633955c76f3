from caracal_host_helpers import host

# Of systemd's catalogue: a unit has entered the state "failed", with its result.
FAILED = "d9b373ed55a64feb8242e02dbe79a49c"


def rule(event):
    return event.get("MESSAGE_ID") == FAILED and event.get("_PID") == 1 and event.get("UNIT") is not None


def title(event):
    return f"{event.get('UNIT')} fails again and again on {host(event)}"


def dedup(event):
    return title(event)


def alert_context(event):
    return {"host": host(event), "unit": event.get("UNIT"), "message": event.get("MESSAGE")}

import re

from caracal_host_helpers import host, is_new

# Of systemd's catalogue: a unit has been started.
STARTED = "39f53479d3a045ac8e11786248231fbf"
LEARNING_SECONDS = 7 * 86400
# Units that systemd-run, logins and the boot make up as they go.
TRANSIENT = re.compile(r"^(run-|session-|user@|user-runtime-dir@|systemd-fsck@|snap-|docker-)")


def unit(event):
    """The service that was started; of instances, their template."""
    name = event.get("UNIT") or ""
    if event.get("MESSAGE_ID") != STARTED or event.get("_PID") != 1 or not name.endswith(".service") or TRANSIENT.match(name):
        return None
    template, found, _ = name.partition("@")
    return f"{template}@.service" if found else name


def rule(event):
    name = unit(event)
    return name is not None and bool(is_new("units", host(event), name, LEARNING_SECONDS))


def title(event):
    return f"New unit on {host(event)}: {unit(event)}"


def dedup(event):
    return title(event)


def alert_context(event):
    return {"host": host(event), "unit": event.get("UNIT"), "message": event.get("MESSAGE")}

GROUPS = ("sudo", "wheel", "admin", "root", "docker", "lxd")
SUDOERS = ("/etc/sudoers", "visudo")


def program(event):
    return event.get("ident") or event.get("SYSLOG_IDENTIFIER")


def said(event):
    """The text of a line that is not taken apart: from the systemd journal, or from a shipper."""
    return event.get("message") or event.get("MESSAGE") or ""


def added(event):
    """The user and the group that they were added to."""
    if event.get("action") == "group_member_added":
        return event.get("target_user"), event.get("target_group")
    parts = said(event).split("'")
    if program(event) in ("usermod", "gpasswd", "useradd") and len(parts) == 5 and parts[2] in (" to group ", " to shadow group "):
        return parts[1], parts[3]
    return None, None


def command(event):
    if event.get("action") == "command_run":
        return event.get("command") or ""
    return said(event).partition("COMMAND=")[2] if program(event) == "sudo" else ""


def host(event):
    return event.get("hostname") or event.get("_HOSTNAME") or event.get("host") or "the server"


def rule(event):
    return added(event)[1] in GROUPS or any(name in command(event) for name in SUDOERS)


def title(event):
    user, group = added(event)
    if group in GROUPS:
        return f"{user} was added to group {group} on {host(event)}"
    return f"The rules of sudo were changed on {host(event)}"


def dedup(event):
    return title(event)


def alert_context(event):
    user, group = added(event)
    context = {"host": host(event), "user": user or event.get("user"), "group": group, "command": command(event) or None}
    return {name: value for name, value in context.items() if value is not None}

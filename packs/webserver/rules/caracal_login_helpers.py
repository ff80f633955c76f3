"""How rules read SSH logins, whichever log has them."""

FAILED = "Failed "
ACCEPTED = "Accepted "


def message_of_sshd(event):
    """The text of an authentication log line of sshd, from the systemd journal or as a shipper has parsed it."""
    if event.get("SYSLOG_IDENTIFIER") in ("sshd", "sshd-session"):
        return event.get("MESSAGE") or ""
    return event.get("message") or "" if event.get("ident") == "sshd" else ""


def is_failed_login(event):
    """A guess that did not succeed. The line that sshd writes before it about unknown users does not count again."""
    if event.get("auth_success") is False or message_of_sshd(event).startswith(FAILED):
        return True
    if event.get("p_log_type") == "Linux.FailedLogins":
        return (event.get("terminal") or "").startswith("ssh") and event.get("host") is not None
    return event.get("action") == "login_failed" and event.get("appname") == "sshd"


def is_login(event):
    if event.get("auth_success") is True or message_of_sshd(event).startswith(ACCEPTED):
        return True
    return event.get("action") == "login_succeeded" and event.get("appname") == "sshd"


def source(event):
    """The address that the login came from."""
    message = message_of_sshd(event)
    if message:
        # A user name may contain blanks, so that the last ` from ` is sshd's.
        return message.rpartition(" from ")[2].partition(" ")[0] or None
    if event.get("p_log_type") == "Linux.FailedLogins":
        return event.get("host")
    return event.get("id_orig_h") or event.get("source_ip")


def user(event):
    """The user name; None where the log has none, as Zeek's."""
    message = message_of_sshd(event)
    if not message:
        return event.get("user")
    return message.partition(" for ")[2].rpartition(" from ")[0].removeprefix("invalid user ") or None


def server(event):
    """The host that was logged in to."""
    return event.get("id_resp_h") or event.get("hostname") or event.get("_HOSTNAME") or event.get("host") or "the server"


def login_context(event):
    context = {"source": source(event), "user": user(event), "server": server(event), "uid": event.get("uid")}
    return {name: value for name, value in context.items() if value is not None}

from caracal_zeek_helpers import is_ssh_connection, originator
from tor_ssh import context, is_from_exit


def rule(event):
    return is_ssh_connection(event) and is_from_exit(event)


def title(event):
    return f"SSH Connection from TOR Exit Node ({originator(event)})"


def dedup(event):
    return originator(event)


def alert_context(event):
    return context(event)

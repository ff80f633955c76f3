from caracal_zeek_helpers import is_ssh_connection, originator
from greynoise_ssh import context, malicious_table


def rule(event):
    return is_ssh_connection(event) and malicious_table(event) is not None


def title(event):
    return f"SSH Connection from Malicious IP {originator(event)}"


def dedup(event):
    return originator(event)


def alert_context(event):
    return context(event)

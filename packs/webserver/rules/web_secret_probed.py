from caracal_secret_files import is_secret
from caracal_web_helpers import client, path, request_context, status


def rule(event):
    return (status(event) or 0) >= 400 and is_secret(event)


def unique(event):
    return path(event)


def title(event):
    return f"Secret files looked for from {client(event)}"


def dedup(event):
    return client(event)


def alert_context(event):
    return request_context(event)

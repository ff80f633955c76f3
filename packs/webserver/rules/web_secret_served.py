from caracal_secret_files import is_secret
from caracal_web_helpers import client, path, request_context, site, size, status


def rule(event):
    return status(event) in (200, 206) and size(event) != 0 and is_secret(event) and not is_page(event)


def is_page(event):
    """Zeek knows what the response was."""
    return "text/html" in (event.get("resp_mime_types") or ())


def title(event):
    return f"{site(event)} served {path(event)} to {client(event)}"


def dedup(event):
    return f"{site(event)} {path(event)}"


def alert_context(event):
    return request_context(event)

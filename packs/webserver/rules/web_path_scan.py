from caracal_web_helpers import client, path, request_context, site, status

MISSING = (403, 404, 405, 410)


def rule(event):
    return status(event) in MISSING


def unique(event):
    return path(event)


def title(event):
    return f"Many paths of {site(event)} tried from {client(event)}"


def dedup(event):
    return client(event)


def alert_context(event):
    return request_context(event)

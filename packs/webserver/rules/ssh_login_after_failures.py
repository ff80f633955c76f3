from caracal_login_helpers import is_failed_login, is_login, login_context, server, source, user
from panther_detection_helpers.caching import get_counter, increment_counter

FAILURES = 10
SECONDS = 3600


def key(event):
    return f"ssh-failures:{source(event)}"


def rule(event):
    if source(event) is None:
        return False
    if is_failed_login(event):
        increment_counter(key(event), 1, SECONDS)
        return False
    return is_login(event) and int(get_counter(key(event))) >= FAILURES


def title(event):
    return f"SSH login to {server(event)} from {source(event)} after many failures"


def dedup(event):
    return f"{source(event)} {user(event)}"


def alert_context(event):
    return login_context(event)

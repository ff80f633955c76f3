from caracal_login_helpers import is_failed_login, login_context, server, source


def rule(event):
    return is_failed_login(event) and source(event) is not None


def title(event):
    return f"SSH passwords guessed from {source(event)}"


def dedup(event):
    return source(event)


def alert_context(event):
    return {**login_context(event), "server": server(event)}

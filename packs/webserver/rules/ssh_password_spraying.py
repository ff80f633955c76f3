from caracal_login_helpers import is_failed_login, login_context, source, user


def rule(event):
    return is_failed_login(event) and source(event) is not None and user(event) is not None


def unique(event):
    return user(event)


def title(event):
    return f"SSH logins with many user names from {source(event)}"


def dedup(event):
    return source(event)


def alert_context(event):
    return login_context(event)

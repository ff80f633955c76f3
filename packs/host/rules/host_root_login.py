from ipaddress import ip_address

from caracal_login_helpers import is_login, login_context, server, source, user


def is_outside(address):
    """An address of the internet; a name of a host is one from outside, too."""
    try:
        ip = ip_address((address or "").partition("%")[0])
    except ValueError:
        return bool(address)
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return not (ip.is_private or ip.is_loopback or ip.is_link_local)


def rule(event):
    return is_login(event) and user(event) == "root" and is_outside(source(event))


def title(event):
    return f"root logged in to {server(event)} from {source(event)}"


def dedup(event):
    return title(event)


def alert_context(event):
    return login_context(event)

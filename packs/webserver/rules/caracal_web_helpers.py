"""How rules read requests, whichever web server or sensor logged them."""

from urllib.parse import unquote

FORWARDED = "X-FORWARDED-FOR -> "


def first(event, *names):
    """The first of these fields that has a value."""
    return next((event.get(name) for name in names if event.get(name) is not None), None)


def client(event):
    """The address that asked. Of a request through a proxy, the last address that the proxy adds: clients can make up the others."""
    forwarded = event.get("httpXForwardedFor")
    for header in event.get("proxied") or ():
        if header.startswith(FORWARDED):
            forwarded = header[len(FORWARDED) :]
    if forwarded:
        return forwarded.split(",")[-1].strip()
    return first(event, "id_orig_h", "remoteAddr", "remote_host_ip_address", "clientIp") or "unknown address"


def uri(event):
    """Path and query as they were sent; '' of what is not an HTTP request."""
    found = first(event, "uri", "requestUri", "request_uri", "requestUrl")
    if found is None:
        parts = (event.get("request") or "").split(" ")
        found = parts[1] if len(parts) > 1 else ""
    if "://" in found:
        found = "/" + found.partition("://")[2].partition("/")[2]
    return found


def path(event):
    """The path in lower case, decoded: `/%2Eenv` is `/.env`."""
    return unquote(uri(event).partition("?")[0]).lower()


def status(event):
    return first(event, "status_code", "status", "response_status", "elbStatusCode")


def method(event):
    found = first(event, "method", "requestMethod", "request_method", "requestHttpMethod")
    return found or (event.get("request") or "").partition(" ")[0]


def size(event):
    """Bytes of the response; None if the log does not say."""
    return first(event, "response_body_len", "bodyBytesSent", "response_size", "sentBytes")


def site(event):
    return first(event, "host", "virtual_host", "domainName", "id_resp_h") or "the server"


def request_context(event):
    context = {
        "client": client(event),
        "method": method(event),
        "uri": uri(event),
        "status": status(event),
        "bytes": size(event),
        "site": site(event),
        "user_agent": first(event, "user_agent", "httpUserAgent", "userAgent"),
        "uid": event.get("uid"),
    }
    return {name: value for name, value in context.items() if value is not None}

from ipaddress import ip_address

UNCONNECTED = ("", "*:*", "0.0.0.0:*", ":::*", "[::]:*")


def split_address(text):
    """`0.0.0.0:21`, `:::22`, `[::1]:631`, `127.0.0.53%lo:53`, `*:68` → address and port, both text."""
    address, _, port = (text or "").rpartition(":")
    return address.strip("[]").partition("%")[0], port


def is_loopback(address):
    try:
        ip = ip_address(address)
    except ValueError:
        return address == "localhost"
    mapped = getattr(ip, "ipv4_mapped", None)
    return (mapped or ip).is_loopback


def is_open(event):
    """TCP that listens, or UDP that is bound and not connected to anyone."""
    protocol = (event.get("protocol") or "").lower()
    if protocol.startswith("tcp"):
        return (event.get("state") or "").upper() == "LISTEN"
    return protocol.startswith("udp") and (event.get("foreign_address") or "") in UNCONNECTED


def rule(event):
    address, port = split_address(event.get("local_address"))
    if port in ("", "*") or not is_open(event) or is_loopback(address):
        return False
    # The table joins the port of local_address: no row means that the port is not on the list.
    return event.deep_get("p_enrichment", "allowed_ports", "local_address") is None


def title(event):
    return f"Unexpected Port Opened: {split_address(event.get('local_address'))[1]}"


def dedup(event):
    # `name` is what the shipper calls the host, in the set-up that the schema was made for.
    host = event.get("host") or event.get("hostname") or (event.get("name") or "").strip()
    port = split_address(event.get("local_address"))[1]
    return f"{host}:{port}" if host else port


def alert_context(event):
    address, port = split_address(event.get("local_address"))
    names = ("protocol", "state", "process", "name", "host", "hostname")
    return {
        "port": port,
        "address": address,
        **{name: event.get(name) for name in names if event.get(name) is not None},
        "why": "no row for this port in the table allowed_ports",
    }

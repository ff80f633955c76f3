from ipaddress import ip_address

# The first packet was not answered, was refused, or the connection was dropped before anything was said.
TRIED = ("S0", "REJ", "RSTOS0", "RSTRH", "SH", "SHR")
TCP = 6


def source(event):
    return event.get("id_orig_h") or event.get("srcAddr")


def target(event):
    return event.get("id_resp_h") or event.get("dstAddr")


def rule(event):
    if event.get("proto") == "tcp":
        return event.get("conn_state") in TRIED
    return event.get("protocol") == TCP and event.get("action") == "REJECT" and source(event) is not None


def unique(event):
    port = event.get("id_resp_p") or event.get("dstPort")
    return None if port is None else str(port)


def title(event):
    return f"Many ports of {target(event)} tried from {source(event)}"


def dedup(event):
    return f"{source(event)} {target(event)}"


def severity(event):
    try:
        return "HIGH" if ip_address(source(event)).is_private else "DEFAULT"
    except ValueError:
        return "DEFAULT"


def alert_context(event):
    return {"source": source(event), "target": target(event), "uid": event.get("uid")}

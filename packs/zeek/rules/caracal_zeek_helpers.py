"""How rules read Zeek's SSH log and connection log."""

from collections.abc import Mapping

SSH_PORT = 22


def is_ssh_login(event):
    """Zeek saw a login succeed. It judges by the sizes of packets; when it cannot tell, `auth_success` is unset."""
    return event.get("auth_success") is True


def is_ssh_connection(event):
    """A connection to the SSH port on which SSH was spoken: still open (S1) or closed in order (SF)."""
    services = (event.get("service") or "").split(",")
    return event.get("id_resp_p") == SSH_PORT and event.get("conn_state") in ("SF", "S1") and "ssh" in services


def originator(event):
    """The address that opened the connection."""
    return event.get("id_orig_h", "unknown address")


def row_of(event, table, selector):
    """The row of a table that a field matched; of several the first; None when it matched nothing."""
    rows = event.deep_get("p_enrichment", table, selector)
    if isinstance(rows, Mapping):
        return rows
    if rows and not isinstance(rows, (str, bool)):
        return next((row for row in rows if isinstance(row, Mapping)), None)
    return None


def connection_context(event):
    """What finds the connection again in the logs."""
    names = ("uid", "id_orig_h", "id_orig_p", "id_resp_h", "id_resp_p", "service", "conn_state", "history", "auth_attempts", "client")
    return {name: event.get(name) for name in names if event.get(name) is not None}


def enrichment_context(event, table, selector):
    """Which row of which version of a table spoke against the address."""
    row = row_of(event, table, selector) or {}
    return {"table": table, "table_version": row.get("p_version"), "enrichment": row}

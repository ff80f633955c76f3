"""What the rules about SSH from the Tor network share."""

from caracal_zeek_helpers import connection_context, enrichment_context, originator, row_of

TABLE = "tor_exit_nodes"


def is_from_exit(event):
    """The connection was opened from a Tor exit node."""
    return row_of(event, TABLE, "id_orig_h") is not None


def context(event):
    """Why the address counts as an exit node, and where the Tor project says whether it was one on that day."""
    day = str(event.get("p_event_time", ""))[:10]
    url = f"https://metrics.torproject.org/exonerator.html?ip={originator(event)}&timestamp={day}&lang=en"
    return {**enrichment_context(event, TABLE, "id_orig_h"), "exonerator_url": url, "connection": connection_context(event)}

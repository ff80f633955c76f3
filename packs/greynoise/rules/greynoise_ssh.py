"""What the rules about SSH from addresses that GreyNoise knows share."""

from caracal_zeek_helpers import connection_context, enrichment_context, originator, row_of

# Answers of the quick API have no classification, so that only the other table may know.
TABLES = ("greynoise_noise_basic", "greynoise_noise_advanced")


def malicious_table(event):
    """The first table in which the originator is malicious, or None."""
    for table in TABLES:
        row = row_of(event, table, "id_orig_h")
        if row is not None and row.get("classification") == "malicious":
            return table
    return None


def context(event):
    """What GreyNoise says about the address, and where it says it."""
    table = malicious_table(event)
    row = row_of(event, table, "id_orig_h") or {}
    return {
        **enrichment_context(event, table, "id_orig_h"),
        "greynoise_url": row.get("link") or f"https://viz.greynoise.io/ip/{originator(event)}",
        "connection": connection_context(event),
    }

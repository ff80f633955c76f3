from collections.abc import Mapping

from caracal_login_helpers import is_login, login_context, server, source, user
from panther_detection_helpers.caching import add_to_string_set, get_string_set

TABLES = ("geoip_city", "maxmind_city", "dbip_city", "ipinfo_location", "ipinfo_lite")


def rows(found):
    """The rows of one selector: one or several."""
    if isinstance(found, Mapping):
        return [found]
    return [row for row in found or () if isinstance(row, Mapping)]


def country(event):
    """ISO code of the country that the login came from, or None if no table knows."""
    address = source(event)
    for table in TABLES:
        for row in rows(event.deep_get("p_enrichment", table, "p_any_ip_addresses")):
            if row.get("p_match") == address:
                where = row.get("country_code") or row.get("country")
                code = where.get("iso_code") if isinstance(where, Mapping) else where
                if code:
                    return code
    return None


def rule(event):
    if not is_login(event):
        return False
    code = country(event)
    if code is None:
        return False
    key = f"ssh-countries:{user(event) or server(event)}"
    known = get_string_set(key)
    add_to_string_set(key, [code])
    return bool(known) and code not in known


def title(event):
    return f"SSH login to {server(event)} from a new country: {country(event)}"


def dedup(event):
    return f"{user(event) or server(event)} {country(event)}"


def alert_context(event):
    return {**login_context(event), "country": country(event)}

"""What GreyNoise knows about an event's addresses.

Tables `greynoise_noise_basic` and `greynoise_noise_advanced` (and `greynoise_riot_*`) have a class each; the V3 classes
read a table whose rows hold `internet_scanner_intelligence` and `business_service_intelligence`. Every accessor takes
the selector (`id_orig_h`) and gives a value, a list when the selector matched several rows, or None.
"""

from collections.abc import Mapping, Sequence

from dateutil import parser as date_parser
from panther_base_helpers import SEVERITY_LEVELS, deep_get, severity_greater_than
from panther_lookuptable_helpers import LookupTableMatches

_SITE = "https://www.greynoise.io/viz/ip/"


class PantherGreyNoiseException(Exception):
    """The configured table does not have the requested data."""


def _is_many(value):
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def _each(value, function):
    """Applies the function to a value or to each value of a list; None for None."""
    if value is None:
        return None
    return [None if item is None else function(item) for item in value] if _is_many(value) else function(value)


def _as_list(value):
    if value is None:
        return []
    return list(value) if _is_many(value) else [value]


def _time(value):
    try:
        return date_parser.parse(str(value))
    except (ValueError, TypeError):
        return None


def _pick_time(value, choose):
    times = [time for time in map(_time, _as_list(value)) if time is not None]
    return choose(times) if times else None


class GreyNoiseBasic(LookupTableMatches):
    """The table `greynoise_noise_basic`: address, classification, actor, link."""

    table = "greynoise_noise_basic"
    sublevel = "basic"

    def __init__(self, event):
        super().__init__()
        self._register(event, self.table)

    def subscription_level(self):
        """`basic` or `advanced`."""
        return self.sublevel

    def ip_address(self, match_field):
        return self._lookup(match_field, "ip")

    def classification(self, match_field):
        """`malicious`, `benign` or `unknown`."""
        return self._lookup(match_field, "classification")

    def actor(self, match_field):
        return self._lookup(match_field, "actor")

    def url(self, match_field):
        """The row's link, otherwise the address's page."""
        link = self._lookup(match_field, "url") or self._lookup(match_field, "link")
        return link or _each(self.ip_address(match_field), lambda ip: f"{_SITE}{ip}")

    def context(self, match_field):
        """For an alert's context; empty when the field matched nothing."""
        if not self.ip_address(match_field):
            return {}
        return {
            "IP": self.ip_address(match_field),
            "Classification": self.classification(match_field),
            "Actor": self.actor(match_field),
            "GreyNoise_URL": self.url(match_field),
        }

    def __getattr__(self, name):
        if hasattr(GreyNoiseAdvanced, name):
            raise PantherGreyNoiseException(f"'{name}' needs the table {GreyNoiseAdvanced.table}, not {self.table}")
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")


class GreyNoiseAdvanced(GreyNoiseBasic):
    """The table `greynoise_noise_advanced`: everything that GreyNoise knows about an address."""

    table = "greynoise_noise_advanced"
    sublevel = "advanced"

    def is_bot(self, match_field):
        return self._lookup(match_field, "bot")

    def is_spoofable(self, match_field):
        return self._lookup(match_field, "spoofable")

    def is_vpn(self, match_field):
        return self._lookup(match_field, "vpn")

    def vpn_service(self, match_field):
        return self._lookup(match_field, "vpn_service")

    def is_tor(self, match_field):
        return self.metadata(match_field, "tor")

    def cve_list(self, match_field):
        return _as_list(self._lookup(match_field, "cve"))

    def cve_string(self, match_field, limit=10):
        """At most `limit` CVEs, joined by spaces."""
        return " ".join(str(item) for item in self.cve_list(match_field)[:limit])

    def tags_list(self, match_field):
        return _as_list(self._lookup(match_field, "tags"))

    def tags_string(self, match_field, limit=10):
        """At most `limit` tags, joined by spaces."""
        return " ".join(str(item) for item in self.tags_list(match_field)[:limit])

    def first_seen(self, match_field):
        """A datetime, the earliest of several, or None."""
        return _pick_time(self._lookup(match_field, "first_seen"), min)

    def last_seen(self, match_field):
        """A datetime, the latest of several, or None."""
        return _pick_time(self._lookup(match_field, "last_seen"), max)

    def metadata(self, match_field, *keys):
        return self._lookup(match_field, "metadata", *keys)

    def asn(self, match_field):
        return self.metadata(match_field, "asn")

    def category(self, match_field):
        return self.metadata(match_field, "category")

    def city(self, match_field):
        return self.metadata(match_field, "city")

    def country(self, match_field):
        return self.metadata(match_field, "country")

    def country_code(self, match_field):
        return self.metadata(match_field, "country_code")

    def organization(self, match_field):
        return self.metadata(match_field, "organization")

    def operating_system(self, match_field):
        return self.metadata(match_field, "os")

    def region(self, match_field):
        return self.metadata(match_field, "region")

    def rev_dns(self, match_field):
        return self.metadata(match_field, "rdns")

    def context(self, match_field):
        """For an alert's context; empty when the field matched nothing."""
        basic = super().context(match_field)
        if not basic:
            return {}
        return basic | {
            "VPN": self.is_vpn(match_field),
            "Tor": self.is_tor(match_field),
            "Bot": self.is_bot(match_field),
            "Metadata": self.metadata(match_field),
            "Tags": self.tags_list(match_field),
            "CVEs": self.cve_list(match_field),
        }


class GreyNoiseRIOTBasic(LookupTableMatches):
    """The table `greynoise_riot_basic`: addresses of common business services."""

    table = "greynoise_riot_basic"
    sublevel = "basic"

    def __init__(self, event):
        super().__init__()
        self._register(event, self.table)

    def subscription_level(self):
        """`basic` or `advanced`."""
        return self.sublevel

    def is_riot(self, match_field):
        """True when the address belongs to a common business service."""
        return any(_as_list(self._lookup(match_field, "ip_cidr")))

    def ip_address(self, match_field):
        return self._lookup(match_field, "ip_cidr")

    def name(self, match_field):
        return self._lookup(match_field, "provider", "name")

    def url(self, match_field):
        return _each(self.ip_address(match_field), lambda cidr: f"{_SITE}{str(cidr).partition('/')[0]}")

    def last_updated(self, match_field):
        """A datetime, the latest of several, or None."""
        return _pick_time(self._lookup(match_field, "scan_time"), max)

    def context(self, match_field):
        """For an alert's context; empty when the field matched nothing."""
        if not self.ip_address(match_field):
            return {}
        return {"Is_RIOT": self.is_riot(match_field), "Name": self.name(match_field), "GreyNoise_URL": self.url(match_field)}


class GreyNoiseRIOTAdvanced(GreyNoiseRIOTBasic):
    """The table `greynoise_riot_advanced`: what the service is and how far it is trusted."""

    table = "greynoise_riot_advanced"
    sublevel = "advanced"

    def category(self, match_field):
        return self._lookup(match_field, "provider", "category")

    def description(self, match_field):
        return self._lookup(match_field, "provider", "description")

    def explanation(self, match_field):
        return self._lookup(match_field, "provider", "explanation")

    def reference(self, match_field):
        return self._lookup(match_field, "provider", "reference")

    def trust_level(self, match_field):
        return self._lookup(match_field, "provider", "trust_level")


def _first_table(event, classes):
    """The object of the first table that matched the event, or None."""
    for kind in classes:
        if event.deep_get("p_enrichment", kind.table):
            return kind(event)
    return None


def GetGreyNoiseObject(event):
    """The richest noise object that the event has data for; an empty basic one otherwise."""
    return _first_table(event, (GreyNoiseAdvanced, GreyNoiseBasic)) or GreyNoiseBasic(event)


def GetGreyNoiseRiotObject(event):
    """The richest RIOT object that the event has data for; an empty basic one otherwise."""
    return _first_table(event, (GreyNoiseRIOTAdvanced, GreyNoiseRIOTBasic)) or GreyNoiseRIOTBasic(event)


def GreyNoiseSeverity(event, match_field, default="MEDIUM"):
    """INFO for business services, CRITICAL for malicious and LOW for benign addresses, else the default."""
    if GetGreyNoiseRiotObject(event).is_riot(match_field):
        return "INFO"
    return _highest(GetGreyNoiseObject(event).classification(match_field), default)


def greynoise_severity_decode(classification, default="MEDIUM"):
    """A severity for one classification."""
    return {"malicious": "CRITICAL", "benign": "LOW"}.get(classification, default)


def _highest(classification, default):
    if not _is_many(classification):
        return greynoise_severity_decode(classification, default)
    severities = ["INFO", *(greynoise_severity_decode(item, default) for item in classification)]
    return max(severities, key=lambda severity: SEVERITY_LEVELS.get(severity, -1))


def _v3_table(event):
    """The first enrichment whose name ends in `_noise` and whose rows are of V3."""
    for name, selectors in (event.deep_get("p_enrichment") or {}).items():
        if not name.endswith("_noise") or not isinstance(selectors, Mapping):
            continue
        for rows in selectors.values():
            for row in _as_list(rows):
                if isinstance(row, Mapping) and "internet_scanner_intelligence" in row:
                    return name
    return None


class _GreyNoiseV3(LookupTableMatches):
    part = ""

    def __init__(self, event, lut_name=None):
        super().__init__()
        self._register(event, lut_name or _v3_table(event))

    def _get(self, match_field, *keys):
        return self._lookup(match_field, self.part, *keys)

    def ip_address(self, match_field):
        return self._lookup(match_field, "ip")

    def url(self, match_field):
        """GreyNoise's page of the address; a list for several; None when there is none."""
        return _each(self.ip_address(match_field), lambda ip: f"{_SITE}{ip}")

    def found(self, match_field):
        return bool(self._get(match_field, "found"))


class GreyNoiseV3ScannerIntelligence(_GreyNoiseV3):
    """Addresses that scan the Internet."""

    part = "internet_scanner_intelligence"

    def actor(self, match_field):
        return self._get(match_field, "actor")

    def classification(self, match_field):
        return self._get(match_field, "classification")

    def is_bot(self, match_field):
        return bool(self._get(match_field, "bot"))

    def is_tor(self, match_field):
        return bool(self._get(match_field, "tor"))

    def is_vpn(self, match_field):
        return bool(self._get(match_field, "vpn"))

    def is_spoofable(self, match_field):
        return bool(self._get(match_field, "spoofable"))

    def vpn_service(self, match_field):
        return self._get(match_field, "vpn_service")

    def cve_list(self, match_field):
        return _as_list(self._get(match_field, "cves"))

    def cve_string(self, match_field, limit=10):
        """At most `limit` CVEs, joined by spaces."""
        return " ".join(str(item) for item in self.cve_list(match_field)[:limit])

    def first_seen(self, match_field):
        """A datetime, the earliest of several, or None."""
        return _pick_time(self._get(match_field, "first_seen"), min)

    def last_seen(self, match_field):
        """A datetime, the latest of several, or None."""
        return _pick_time(self._get(match_field, "last_seen_timestamp"), max)

    def tags(self, match_field):
        return _as_list(self._get(match_field, "tags"))

    def tag_names(self, match_field):
        return [str(deep_get(tag, "name", default=tag)) if isinstance(tag, Mapping) else str(tag) for tag in self.tags(match_field)]

    def tag_names_string(self, match_field, limit=10):
        """At most `limit` tag names, joined by spaces."""
        return " ".join(self.tag_names(match_field)[:limit])

    def metadata(self, match_field, *keys):
        return self._get(match_field, "metadata", *keys)

    def is_mobile(self, match_field):
        return bool(self.metadata(match_field, "mobile"))

    def context(self, match_field):
        """For an alert's context; empty when the field matched nothing."""
        if not self.ip_address(match_field):
            return {}
        return {
            "IP": self.ip_address(match_field),
            "Classification": self.classification(match_field),
            "Actor": self.actor(match_field),
            "GreyNoise_URL": self.url(match_field),
            "VPN": self.is_vpn(match_field),
            "Tor": self.is_tor(match_field),
            "Bot": self.is_bot(match_field),
            "Metadata": self.metadata(match_field),
            "Tags": self.tags(match_field),
            "CVEs": self.cve_list(match_field),
        }


def _metadata_accessor(column):
    def accessor(self, match_field):
        return self.metadata(match_field, column)

    accessor.__doc__ = f"The metadata's `{column}`."
    return accessor


for _name, _column in {
    "asn": "asn",
    "carrier": "carrier",
    "category": "category",
    "datacenter": "datacenter",
    "destination_countries": "destination_countries",
    "domain": "domain",
    "latitude": "latitude",
    "longitude": "longitude",
    "operating_system": "os",
    "organization": "organization",
    "region": "region",
    "rev_dns": "rdns",
    "rev_dns_parent": "rdns_parent",
    "sensor_count": "sensor_count",
    "sensor_hits": "sensor_hits",
    "source_city": "source_city",
    "source_country": "source_country",
    "source_country_code": "source_country_code",
}.items():
    setattr(GreyNoiseV3ScannerIntelligence, _name, _metadata_accessor(_column))


class GreyNoiseV3BusinessService(_GreyNoiseV3):
    """Addresses of common business services."""

    part = "business_service_intelligence"

    def last_updated(self, match_field):
        """A datetime, the latest of several, or None."""
        return _pick_time(self._get(match_field, "last_updated"), max)

    def context(self, match_field):
        """For an alert's context; empty when the field matched nothing."""
        if not self.ip_address(match_field):
            return {}
        return {
            "Found": self.found(match_field),
            "IP": self.ip_address(match_field),
            "Name": self._get(match_field, "name"),
            "Category": self._get(match_field, "category"),
            "TrustLevel": self._get(match_field, "trust_level"),
            "GreyNoise_URL": self.url(match_field),
        }


def _service_accessor(column):
    def accessor(self, match_field):
        return self._get(match_field, column)

    accessor.__doc__ = f"The service's `{column}`."
    return accessor


for _name in ("category", "description", "explanation", "name", "reference", "trust_level"):
    setattr(GreyNoiseV3BusinessService, _name, _service_accessor(_name))


def get_greynoise_v3_object(event):
    """The scanner object of the event, or None when no table has V3 rows."""
    table = _v3_table(event)
    return GreyNoiseV3ScannerIntelligence(event, table) if table else None


def get_greynoise_v3_business_service_object(event):
    """The business service object of the event, or None when no table has V3 rows."""
    table = _v3_table(event)
    return GreyNoiseV3BusinessService(event, table) if table else None


def greynoise_v3_severity(event, match_field, default="MEDIUM"):
    """INFO for business services, else by classification; of several the highest."""
    scanner = get_greynoise_v3_object(event)
    if scanner is None:
        return default
    if GreyNoiseV3BusinessService(event).found(match_field):
        return "INFO"
    return _highest(scanner.classification(match_field), default)


def greynoise_v3_alert_context(event, match_field):
    """Everything worth knowing about the address, for an alert's context."""
    scanner = get_greynoise_v3_object(event)
    context = scanner.context(match_field) if scanner else {}
    if context:
        first, last = scanner.first_seen(match_field), scanner.last_seen(match_field)
        context |= {
            "FirstSeen": str(first) if first else None,
            "LastSeen": str(last) if last else None,
            "Spoofable": scanner.is_spoofable(match_field),
            "Organization": scanner.organization(match_field),
            "SourceCountry": scanner.source_country(match_field),
            "ASN": scanner.asn(match_field),
            "OperatingSystem": scanner.operating_system(match_field),
            "ReverseDNS": scanner.rev_dns(match_field),
        }
        service = GreyNoiseV3BusinessService(event)
        if service.found(match_field):
            context["BusinessService"] = service.context(match_field)
    return context


GreyNoiseSeverityDecode = greynoise_severity_decode
SeverityGreaterThan = severity_greater_than
GetGreyNoiseV3Object = get_greynoise_v3_object
GetGreyNoiseV3BusinessServiceObject = get_greynoise_v3_business_service_object
GreyNoiseV3Severity = greynoise_v3_severity

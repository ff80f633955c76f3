"""Connections that come from Tor: the table `tor_exit_nodes`."""

from datetime import datetime

from panther_lookuptable_helpers import LookupTableMatches


class TorExitNodes(LookupTableMatches):
    """What the table of Tor exit nodes says about an event."""

    def __init__(self, event):
        super().__init__()
        self._register(event, "tor_exit_nodes")

    def has_exit_nodes(self):
        """True when any address of the event is a Tor exit node."""
        return bool(self.lut_matches)

    def ip_address(self, match_field):
        """The exit node's address, or a list of them."""
        return self._lookup(match_field, "ip")

    def url(self, match_field):
        """The Tor project's page that says whether the address was an exit node today; a list for several addresses."""
        today = datetime.now().strftime("%Y-%m-%d")
        address = self.ip_address(match_field)
        if isinstance(address, list):
            return [_exonerator(item, today) for item in address]
        return _exonerator(address, today)

    def context(self, match_field):
        """For an alert's context; empty when the field matched nothing."""
        address = self.ip_address(match_field)
        return {"IP": address, "ExoneraTorURL": self.url(match_field)} if address else {}


def _exonerator(address, day):
    return f"https://metrics.torproject.org/exonerator.html?ip={address}&timestamp={day}&lang=en"

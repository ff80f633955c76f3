"""Sets of actions that cannot be expanded here: passing them on is fine, reading them is an error."""

from collections.abc import Sequence, Set

from policyuniverse.actions import LISTED
from policyuniverse.services import SERVICES


class ActionsUnknown(Exception):
    """The answer depends on the names of actions that are not listed here."""

    def __init__(self, what):
        super().__init__(
            f"policyuniverse: {what} cannot be answered here, because only the actions of {', '.join(sorted(LISTED))} are listed: "
            "name the actions of other services one by one, or look at the statement's own 'Action' in the rule"
        )


class UnlistedActions(Sequence):
    """Stands in a statement for the actions of `patterns`, or for all actions but those of `excluded`."""

    def __init__(self, patterns, excluded=()):
        self.patterns = tuple(patterns)
        self.excluded = tuple(excluded)

    def refuse(self):
        named = [*self.patterns, *(f"all but {pattern}" for pattern in self.excluded)]
        return ActionsUnknown(f"which actions '{', '.join(named)}' stands for")

    def __len__(self):
        raise self.refuse()

    def __bool__(self):
        return True

    def __getitem__(self, _index):
        raise self.refuse()

    def __contains__(self, _action):
        raise self.refuse()

    def __iter__(self):
        raise self.refuse()

    def __eq__(self, other):
        if self is other:
            return True
        raise self.refuse()

    __hash__ = None


class AllPermissions(Set):
    """Every action of AWS: membership can be tested for actions of a listed service, or of no service."""

    def __contains__(self, action):
        service = action.partition(":")[0]
        if service in SERVICES and service not in LISTED:
            raise ActionsUnknown(f"whether '{action}' is an action")
        return action in LISTED.get(service, ())

    def __iter__(self):
        raise ActionsUnknown("what all actions are")

    def __len__(self):
        raise ActionsUnknown("how many actions there are")

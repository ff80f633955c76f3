"""`Policy`: the statements of an IAM or resource policy and what they come to."""

from collections import defaultdict
from collections.abc import Mapping

from policyuniverse.statement import Statement


class Policy:
    """A policy document as a dict."""

    def __init__(self, policy):
        self.policy = policy
        statements = policy.get("Statement", [])
        self.statements = [Statement(item) for item in ([statements] if isinstance(statements, Mapping) else statements)]

    @property
    def version(self):
        return self.policy.get("Version")

    @property
    def principals(self):
        """Principals of all statements that allow."""
        return set().union(*(statement.principals for statement in self._allowing()))

    @property
    def condition_entries(self):
        return set().union(*(statement.condition_entries for statement in self._allowing()))

    def whos_allowed(self):
        return set().union(*(statement.whos_allowed() for statement in self._allowing()))

    def is_internet_accessible(self):
        return any(statement.is_internet_accessible() for statement in self.statements)

    def internet_accessible_actions(self):
        """Actions that anybody may take."""
        return set().union(*(statement.actions for statement in self.statements if statement.is_internet_accessible()))

    def action_summary(self):
        """Service -> access levels that the policy allows."""
        summary = defaultdict(set)
        for statement in self._allowing():
            for service, levels in statement.action_summary().items():
                summary[service] |= levels
        return summary

    def _allowing(self):
        return [statement for statement in self.statements if statement.effect == "Allow"]

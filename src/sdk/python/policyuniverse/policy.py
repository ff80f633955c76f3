"""`Policy`: a policy document as a dict."""

from collections import defaultdict

from policyuniverse.expander_minimizer import listed
from policyuniverse.statement import Statement


class Policy:
    """The statements of a document, and what they allow together."""

    def __init__(self, policy):
        self.policy = policy
        self.statements = [Statement(statement) for statement in listed(policy.get("Statement", []))]

    @property
    def principals(self):
        return set().union(*(statement.principals for statement in self.statements))

    @property
    def condition_entries(self):
        return set().union(*(statement.condition_entries for statement in self.statements))

    def whos_allowed(self):
        """Principals and restricting conditions of what is allowed."""
        return set().union(*(statement.whos_allowed() for statement in self.statements if statement.effect == "Allow"))

    def is_internet_accessible(self):
        return any(statement.is_internet_accessible() for statement in self.statements)

    def internet_accessible_actions(self):
        """Actions that anybody may take, as the policy names them."""
        return set().union(*(statement.actions for statement in self.statements if statement.is_internet_accessible()))

    def action_summary(self):
        """Service -> levels of access that the statements, allowing or denying, cover."""
        summary = defaultdict(set)
        for statement in self.statements:
            for service, levels in statement.action_summary().items():
                summary[service] |= levels
        return summary

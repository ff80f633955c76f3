"""IAM policies as rules read them: our compact stand-in for the package of this name.

The package carries every action of every AWS service. Here are the actions of the services that policies name most, the levels
of access of all services, and how the level of an action follows from its name. A question that needs more raises
`ActionsUnknown`, which says so; no answer is a guess at what a wildcard may stand for.
"""

from policyuniverse.actions import LISTED
from policyuniverse.unlisted import AllPermissions, ActionsUnknown

all_permissions = AllPermissions()

from policyuniverse.expander_minimizer import expand_policy, get_actions_from_statement  # noqa: E402 (needs the name above)

__all__ = ["ActionsUnknown", "LISTED", "all_permissions", "expand_policy", "get_actions_from_statement"]

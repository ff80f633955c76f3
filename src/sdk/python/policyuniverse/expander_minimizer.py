"""Actions with wildcards: written out as far as the actions are known, or made fewer."""

import copy
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from policyuniverse.actions import EC2_NETWORK, SERVICES


def listed(value):
    """What a policy gives as one or many, as a list."""
    if value is None:
        return []
    return [value] if isinstance(value, (str, Mapping)) or not isinstance(value, Iterable) else list(value)


def get_actions_from_statement(statement):
    """The actions that a statement names, in lower case; of `NotAction` whole services that are not named."""
    actions = set()
    for pattern in listed(statement.get("Action")):
        actions |= _expand(pattern.lower())
    excluded = [pattern.lower() for pattern in listed(statement.get("NotAction"))]
    if excluded:
        actions |= _all_but(excluded)
    return actions


def _expand(pattern):
    """The pattern, since the list of actions is not complete, and what is known of it."""
    if "*" not in pattern and "?" not in pattern:
        return {pattern}
    return {pattern, *(action for action in EC2_NETWORK if fnmatchcase(action, pattern))}


def _all_but(excluded):
    services = {f"{service}:*" for service in SERVICES}
    whole = {pattern for pattern in services if not any(_touches(other, pattern[:-2]) for other in excluded)}
    single = {action for action in EC2_NETWORK if not any(fnmatchcase(action, other) for other in excluded)}
    return whole | single


def _touches(pattern, service):
    return fnmatchcase(service, pattern.partition(":")[0])


def expand_policy(policy=None, expand_deny=False):
    """A copy of the policy with the actions of its statements written out."""
    expanded = copy.deepcopy(policy)
    statements = expanded.get("Statement", [])
    for statement in [statements] if isinstance(statements, Mapping) else statements:
        if statement.get("Effect") != "Allow" and not expand_deny:
            continue
        actions = get_actions_from_statement(statement)
        if actions:
            statement.pop("NotAction", None)
            statement["Action"] = sorted(actions)
    return expanded


def minimize_statement_actions(statement, minchars=None):
    """The actions that a statement allows, without those that another of its patterns holds."""
    if statement["Effect"] != "Allow":
        raise Exception("Minification does not currently work on Deny statements.")
    named = {pattern.lower() for pattern in listed(statement.get("Action"))}
    excluded = [pattern.lower() for pattern in listed(statement.get("NotAction"))]
    if excluded:
        named |= {pattern for pattern in _all_but(excluded) if pattern.endswith(":*")}
    return {one for one in named if not any(other != one and fnmatchcase(one, other) for other in named)}


def minimize_policy(policy=None, minchars=None):
    """A copy of the policy with as few actions as say the same."""
    minimized = copy.deepcopy(policy)
    statements = minimized.get("Statement", [])
    for statement in [statements] if isinstance(statements, Mapping) else statements:
        if statement.get("Effect") == "Allow":
            statement["Action"] = sorted(minimize_statement_actions(statement, minchars))
            statement.pop("NotAction", None)
    return minimized

"""Actions with wildcards: expanded, or minimized."""

import copy
from collections import defaultdict
from collections.abc import Sequence
from fnmatch import fnmatchcase

from policyuniverse.action_categories import categories_for_actions
from policyuniverse.actions import LISTED
from policyuniverse.services import SERVICES
from policyuniverse.unlisted import ActionsUnknown, UnlistedActions

_HOLDERS = ("rolepolicies", "grouppolicies", "userpolicies", "policy")


def listed(value):
    """A sequence from what a policy may write as one value or as a list."""
    return value if isinstance(value, Sequence) and not isinstance(value, (str, bytes)) else [value]


def _written_out(pattern):
    """The actions of a pattern in lower case, or None if they are not known. A pattern of an unknown service stays as it is."""
    if not any(sign in pattern for sign in "*?["):
        return {pattern}
    found = set()
    for service in _services_of(pattern):
        if service not in LISTED:
            return None
        found.update(action for action in LISTED[service] if fnmatchcase(action, pattern))
    return found or {pattern}


def _services_of(pattern):
    """The services whose actions the pattern may name: all of them where a wildcard may stand for the colon."""
    service, colon, _ = pattern.partition(":")
    if service in SERVICES and colon:
        return [service]
    if not any(sign in service for sign in "*?["):
        return []
    if "*" in service or "[" in service or not colon:
        return SERVICES
    return [known for known in SERVICES if fnmatchcase(known, service)]


def actions_of(statement):
    """The actions of a statement as a set, or `UnlistedActions`."""
    given, excluded = ([] if part is None else listed(part) for part in (statement.get("Action"), statement.get("NotAction")))
    if isinstance(given, UnlistedActions):
        return given
    if excluded:
        return UnlistedActions(given, excluded)
    parts = [_of_pattern(action.lower()) for action in given]
    return UnlistedActions(given) if None in parts else set().union(*parts)


def _of_pattern(pattern):
    # As in the package, which expands a name with other wildcards only if it also has a star.
    return _written_out(pattern) if "*" in pattern else {pattern}


def get_actions_from_statement(statement):
    """The actions that a statement names, in lower case. Raises ActionsUnknown."""
    actions = actions_of(statement)
    if isinstance(actions, UnlistedActions):
        raise actions.refuse()
    return actions


def levels_of(statement):
    """Service -> levels of a statement's actions; for whole services even if their actions are not listed."""
    actions = actions_of(statement)
    if not isinstance(actions, UnlistedActions):
        return categories_for_actions(actions)
    levels = defaultdict(set)
    for pattern in actions.patterns:
        _add(levels, _levels_of_pattern(actions, pattern.lower()))
    if actions.excluded:
        _add(levels, _levels_but(actions))
    return levels


def _add(levels, more):
    for service, found in more.items():
        levels[service] |= found


def _levels_of_pattern(actions, pattern):
    if pattern in ("*", "*:*"):
        return SERVICES
    known = _of_pattern(pattern)
    if known is not None:
        return categories_for_actions(known)
    service = pattern.removesuffix(":*")
    if service not in SERVICES:
        raise actions.refuse()
    return {service: SERVICES[service]}


def _levels_but(actions):
    """The remaining levels of every service."""
    levels = dict(SERVICES)
    gone = defaultdict(set)
    for pattern in (pattern.lower() for pattern in actions.excluded):
        if pattern in ("*", "*:*"):
            return {}
        service = pattern.removesuffix(":*")
        if service in levels and pattern != service:
            levels.pop(service)
            continue
        known = _of_pattern(pattern)
        if known is None:
            raise actions.refuse()
        for action in known:
            gone[action.partition(":")[0]].add(action)
    for service, names in gone.items():
        if service in LISTED and service in levels:
            left = categories_for_actions(LISTED[service] - names)
            levels.update(left) if left else levels.pop(service)
        elif service in levels:
            # One action of many; the levels of the others are not known.
            raise actions.refuse()
    return levels


def expand_policy(policy=None, expand_deny=False):
    """A copy of the policy with the actions of its statements expanded."""
    expanded = copy.deepcopy(policy)
    expanded["Statement"] = listed(expanded["Statement"])
    for statement in expanded["Statement"]:
        if statement["Effect"].lower() == "deny" and not expand_deny:
            continue
        actions = actions_of(statement)
        statement.pop("NotAction", None)
        statement["Action"] = actions if isinstance(actions, UnlistedActions) else sorted(actions)
    return expanded


def minimize_statement_actions(statement, minchars=None):
    """The shortest patterns that match exactly the actions of an allowing statement, sorted."""
    if statement["Effect"] != "Allow":
        raise Exception("only the actions of 'Allow' statements can be minimized")
    minimal = set()
    wanted = defaultdict(set)
    given = statement["Action"]
    write_out = _of_pattern if isinstance(given, str) else _written_out
    for pattern in (pattern.lower() for pattern in listed(given)):
        if pattern in ("*", "*:*"):
            minimal.update(f"{service}:*" for service in SERVICES)
            continue
        service = pattern.removesuffix(":*")
        if service in SERVICES and service != pattern:
            minimal.add(pattern)
            continue
        known = write_out(pattern)
        if known is None:
            raise UnlistedActions([pattern]).refuse()
        for action in known:
            wanted[_known_service(action)].add(action)
    for service, actions in wanted.items():
        if f"{service}:*" not in minimal:
            minimal.update(_shortest(service, actions, minchars))
    return sorted(minimal)


def _known_service(action):
    service = action.partition(":")[0]
    if service in LISTED and action in LISTED[service]:
        return service
    if service in SERVICES and service not in LISTED and "*" not in action:
        raise ActionsUnknown(f"the shortest form of '{action}'")
    raise Exception(f"there is no action '{action}' to minimize")


def _shortest(service, wanted, minchars):
    others = sorted(LISTED[service] - wanted)
    for action in wanted:
        if any(other.startswith(action) for other in others):
            yield action
            continue
        for end in range(len(service) + 1, len(action) + 1):
            prefix, length = action[:end], end - len(service) - 1
            if minchars and 0 < length < int(minchars):
                continue
            if not any(other.startswith(prefix) for other in others):
                yield prefix if prefix in wanted else f"{prefix}*"
                break
        else:
            yield action


def minimize_policy(policy=None, minchars=None):
    """The policy itself with the actions of its statements minimized."""
    for statement in policy["Statement"]:
        statement["Action"] = minimize_statement_actions(statement, minchars=minchars)
    return policy


def expand_minimize_over_policies(policies, activity, **options):
    """Applies `activity` to a policy, or to each policy in the inventory of a role, group or user."""
    for holder in _HOLDERS:
        if holder in policies:
            return {holder: {name: activity(policy=policy, **options) for name, policy in policies[holder].items()}}
    return activity(policy=policies, **options)

"""Access levels of actions: Read, List, Write, Tagging, Permissions."""

import re
from collections import defaultdict

from policyuniverse.actions import SERVICES

LEVELS = frozenset(("Read", "List", "Write", "Tagging", "Permissions"))

# AWS names actions by a verb; the level follows from it, and from a few nouns.
# https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html
_READ = re.compile(
    r"(batch)?(get|describe|head|read|view|search|lookup|query|scan|select|check|validate|preview|simulate|estimate|"
    r"download|detect|discover|evaluate|verify|decode|calculate|count|is|test|monitor|poll)"
)
_PERMISSIONS = re.compile(r"policy|policies|permission|grant|publicaccessblock|bucketacl|objectacl|ownershipcontrols|assumerole$")
_NOT_PERMISSIONS = re.compile(r"scalingpolic|lifecyclepolic|backuppolic|retentionpolic|networkacl|policytype|stackpolicyoutput")
_TAGGING = re.compile(r"^(un)?tag|tags?$|tagging$|tagsfor|tagsto|tagsfrom")
# What wildcards after a short beginning may stand for.
_VERBS = (
    "accept add allocate apply assign associate assume attach authorize batch cancel check complete copy create decrypt delete "
    "deregister describe detach disable disassociate enable encrypt execute export generate get import invoke list modify move "
    "pass poll publish purchase put query read receive register reject release remove replace request reset restore resume "
    "retire revoke run scan search send set start stop subscribe tag terminate test transfer unassign untag update upload validate"
).split()


def category_of(action):
    """The levels of an action or of a pattern with wildcards, such as `ec2:describe*`."""
    service, _, name = action.lower().partition(":")
    begin = re.split(r"[*?]", name, maxsplit=1)[0]
    if begin == name:
        return {_level(service, name)}
    whole = [verb for verb in _VERBS if begin.startswith(verb)]
    if not whole:
        levels = {_level(service, verb) for verb in _VERBS if verb.startswith(begin)}
        return (levels | {"Tagging", "Permissions"}) if "Write" in levels else levels or {_level(service, begin)}
    level = _level(service, begin)
    # `put*` may be any writing action, `tag*` only a tagging one.
    return {level} if level != "Write" else {"Write", "Tagging", "Permissions"}


def _level(service, name):
    if name.startswith("list"):
        return "List"
    if _READ.match(name):
        return "List" if service == "ec2" and name.startswith("describe") else "Read"
    if _TAGGING.search(name):
        return "Tagging"
    if _PERMISSIONS.search(name) and not _NOT_PERMISSIONS.search(name):
        return "Permissions"
    return "Write"


def categories_for_actions(actions):
    """Service -> access levels of its actions."""
    groups = defaultdict(set)
    for action in actions:
        service, colon, name = action.lower().partition(":")
        if service == "*" or not colon:
            for known in SERVICES:
                groups[known] |= LEVELS
        elif name == "*":
            groups[service] |= LEVELS
        else:
            groups[service] |= category_of(action)
    return groups

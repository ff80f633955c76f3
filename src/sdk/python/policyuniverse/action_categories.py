"""Levels of access of actions: Read, List, Write, Tagging, Permissions."""

import re
from collections import defaultdict

from policyuniverse.actions import LISTED
from policyuniverse.exceptions import ACTION_LETTERS, VERB_LETTERS
from policyuniverse.services import LEVELS, SERVICES
from policyuniverse.unlisted import ActionsUnknown

# AWS names actions by a verb; the level follows from it, and from a few nouns. What does not is in `exceptions`.
# https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html
_READ = re.compile(
    r"(batch)?(get|describe|head|read|view|search|lookup|query|scan|select|check|validate|preview|simulate|estimate|"
    r"download|detect|discover|evaluate|verify|decode|calculate|count|is(?!sue)|test|monitor|poll|retrieve|translate|compare|"
    r"tail|filter|predict|recognize|classify|match)"
)
_PERMISSIONS = re.compile(r"policy|policies|permission|grant|publicaccessblock|bucketacl|objectacl|ownershipcontrols|assumerole$")
_NOT_PERMISSIONS = re.compile(r"scalingpolic|lifecyclepolic|backuppolic|retentionpolic|networkacl|policytype|stackpolicyoutput")
_TAGGING = re.compile(r"^(un)?tag|tags?$|tagging$|tagsfor|tagsto|tagsfrom")
# The verbs for which a service may have its own rule.
_VERB = re.compile(r"listtags|get|list|describe|batchget|search|verify|export")


def level_of(action):
    """The level of one action, or None when there is no such action."""
    service, _, name = action.partition(":")
    if service not in SERVICES or (action not in LISTED[service] if service in LISTED else _is_no_name(name)):
        return None
    letter = ACTION_LETTERS.get(action)
    if letter is None:
        verb = _VERB.match(name)
        letter = VERB_LETTERS.get(f"{service}:{verb.group()}") if verb else None
        if letter is None and verb and verb.group() == "listtags":
            letter = VERB_LETTERS.get(f"{service}:list")
    return LEVELS[letter] if letter else _level_by_name(service, name)


def _is_no_name(name):
    return not (name.isascii() and name.isalnum()) or name != name.lower()


def _level_by_name(service, name):
    if name.startswith("list"):
        return "List"
    if _READ.match(name):
        return "Read"
    if _TAGGING.search(name):
        return "Tagging"
    if _PERMISSIONS.search(name) and not _NOT_PERMISSIONS.search(name) and "Permissions" in SERVICES[service]:
        return "Permissions"
    return "Write"


def categories_for_actions(actions):
    """Service -> levels of its actions, which are given in lower case and without wildcards (others have the level None)."""
    groups = defaultdict(set)
    for action in actions:
        groups[action.split(":")[0]].add(level_of(action))
    return groups


def actions_for_category(category):
    """All actions of one level, which are not known here."""
    raise ActionsUnknown(f"which actions have the level '{category}'")

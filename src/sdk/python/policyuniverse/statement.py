"""`Statement`: one statement of a policy."""

import re
from collections import namedtuple
from collections.abc import Mapping

from policyuniverse.arn import ARN
from policyuniverse.expander_minimizer import get_actions_from_statement, levels_of, listed
from policyuniverse.organization import Organization

PrincipalTuple = namedtuple("Principal", "category value")
ConditionTuple = namedtuple("Condition", "category value")

# Condition keys that restrict who may call, by the kind of their values.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
_CATEGORIES = {
    "aws:principalaccount": "account",
    "aws:principalarn": "arn",
    "aws:principalorgid": "organization",
    "aws:principalorgpaths": "organization",
    "aws:sourceaccount": "account",
    "aws:sourcearn": "arn",
    "aws:sourceip": "cidr",
    "aws:sourceowner": "account",
    "aws:sourcevpc": "vpc",
    "aws:sourcevpce": "vpce",
    "aws:userid": "userid",
    "kms:calleraccount": "account",
    "saml:aud": "saml-endpoint",
}
# Operators that deny nothing: one that excludes values leaves everybody else in.
_OPERATOR = re.compile(r"(for(all|any)values?:)?(arn(equals|like)|string(equals|like)|ipaddress)", re.IGNORECASE)


class Statement:
    """A statement as a dict; absent parts are empty."""

    def __init__(self, statement):
        self.statement = statement
        self.condition_entries = self._condition_entries()
        self.principals = self._principals()

    @property
    def effect(self):
        return self.statement.get("Effect")

    @property
    def actions(self):
        """As in the statement. Read lazily: those of an expanded policy may not be known."""
        actions = self.statement.get("Action")
        return set(listed(actions)) if actions else set()

    @property
    def actions_expanded(self):
        return get_actions_from_statement(self.statement)

    @property
    def resources(self):
        return {"*"} if "NotResource" in self.statement else set(listed(self.statement.get("Resource")))

    def uses_not_principal(self):
        return "NotPrincipal" in self.statement

    def action_summary(self):
        return levels_of(self.statement)

    def whos_allowed(self):
        """Principals and restricting conditions, each with its category."""
        return {PrincipalTuple("principal", principal) for principal in self.principals}.union(self.condition_entries)

    @property
    def condition_accounts(self):
        return self._condition_values("account")

    @property
    def condition_arns(self):
        return self._condition_values("arn")

    @property
    def condition_cidrs(self):
        return self._condition_values("cidr")

    @property
    def condition_orgids(self):
        return {Organization(value).organization for value in self._condition_values("organization")}

    @property
    def condition_orgpaths(self):
        return self._condition_values("organization")

    @property
    def condition_userids(self):
        return self._condition_values("userid")

    @property
    def condition_vpcs(self):
        return self._condition_values("vpc")

    @property
    def condition_vpces(self):
        return self._condition_values("vpce")

    def is_internet_accessible(self):
        """Anybody is allowed, without a restricting condition."""
        if self.effect != "Allow" or not self.is_condition_internet_accessible():
            return False
        return self.uses_not_principal() or any(map(_is_open_arn, self.principals))

    def is_condition_internet_accessible(self):
        """There is no restricting condition, or one that lets everybody in: as in the package, one open entry is enough."""
        return not self.condition_entries or any(map(_is_open_condition, self.condition_entries))

    def _condition_values(self, category):
        return {entry.value for entry in self.condition_entries if entry.category == category}

    def _principals(self):
        principal = self.statement.get("Principal")
        if not principal:
            return set()
        if isinstance(principal, Mapping):
            return {item for kind in ("AWS", "Service", "Federated") if kind in principal for item in listed(principal[kind])}
        return set(listed(principal))

    def _condition_entries(self):
        entries = []
        for operator, conditions in (self.statement.get("Condition") or {}).items():
            if not _OPERATOR.match(operator):
                continue
            for key, values in conditions.items():
                category = _CATEGORIES.get(key.lower())
                if category:
                    entries.extend(ConditionTuple(category, value) for value in listed(values))
        return entries


def _is_open_arn(text):
    if text == "*":
        return True
    arn = ARN(text)
    if arn.error:
        return "*" in text
    # Names of buckets are unique without an account number.
    if arn.tech == "s3":
        return False
    return arn.account_number == "*" or (not arn.account_number and not arn.service)


def _is_open_organization(text):
    organization = Organization(text)
    return "o-*" in text if organization.error else organization.organization == "o-*"


def _is_open_userid(text):
    # A star at the end stands for the sessions of one role.
    return text.find("*") != len(text) - 1


_OPEN = {
    "arn": _is_open_arn,
    "cidr": lambda text: text.endswith("/0"),
    "organization": _is_open_organization,
    "userid": _is_open_userid,
}


def _is_open_condition(entry):
    is_open = _OPEN.get(entry.category)
    return is_open(entry.value) if is_open else "*" in entry.value

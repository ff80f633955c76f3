"""`Statement`: one statement of a policy."""

from collections import namedtuple
from collections.abc import Mapping

from policyuniverse.action_categories import categories_for_actions
from policyuniverse.arn import ARN
from policyuniverse.expander_minimizer import get_actions_from_statement, listed

PrincipalTuple = namedtuple("PrincipalTuple", "category value")
ConditionTuple = namedtuple("ConditionTuple", "category value")

# Condition keys that narrow who may call, by what their values are.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
_CATEGORIES = {
    "aws:principalaccount": "account",
    "aws:principalarn": "arn",
    "aws:principalorgid": "organization",
    "aws:sourceaccount": "account",
    "aws:sourcearn": "arn",
    "aws:sourceip": "cidr",
    "aws:sourceowner": "account",
    "aws:sourcevpc": "vpc",
    "aws:sourcevpce": "vpce",
    "aws:userid": "userid",
    "kms:calleraccount": "account",
    "s3:dataaccesspointaccount": "account",
}
_OPERATORS = frozenset(("arnequals", "arnlike", "ipaddress", "stringequals", "stringequalsignorecase", "stringlike"))


class Statement:
    """A statement as a dict; absent parts are empty."""

    def __init__(self, statement):
        self.statement = statement
        self.condition_entries = self._condition_entries()
        self.principals = self._principals()
        self.actions = {action.lower() for action in listed(statement.get("Action"))}

    @property
    def effect(self):
        return self.statement.get("Effect")

    @property
    def resources(self):
        return set(listed(self.statement.get("Resource")))

    @property
    def actions_expanded(self):
        return get_actions_from_statement(self.statement)

    def uses_not_principal(self):
        return "NotPrincipal" in self.statement

    def uses_not_resource(self):
        return "NotResource" in self.statement

    def action_summary(self):
        return categories_for_actions(self.actions_expanded)

    def whos_allowed(self):
        """Principals and narrowing conditions, each with its category."""
        who = {PrincipalTuple(_principal_category(principal), principal) for principal in self.principals}
        return who | {PrincipalTuple(entry.category, entry.value) for entry in self.condition_entries}

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
        """Anybody is allowed, and no condition narrows it."""
        if self.effect != "Allow":
            return False
        if self.uses_not_principal():
            return True
        return any(map(_is_open_arn, self.principals)) and self._is_open_by_conditions()

    def _is_open_by_conditions(self):
        # Conditions on different keys must all hold; of one key's values one is enough.
        by_category = {}
        for entry in self.condition_entries:
            by_category.setdefault(entry.category, []).append(entry)
        return all(any(map(_is_open_condition, entries)) for entries in by_category.values())

    def _condition_values(self, category):
        return {entry.value for entry in self.condition_entries if entry.category == category}

    def _principals(self):
        principal = self.statement.get("Principal")
        if isinstance(principal, Mapping):
            return {item for kind in ("AWS", "Service", "Federated") for item in listed(principal.get(kind))}
        return set(listed(principal))

    def _condition_entries(self):
        entries = set()
        for operator, conditions in (self.statement.get("Condition") or {}).items():
            if operator.lower().split(":")[-1].removesuffix("ifexists") not in _OPERATORS:
                continue
            for key, values in conditions.items():
                category = _CATEGORIES.get(key.lower())
                if category:
                    entries.update(ConditionTuple(category, value) for value in listed(values))
        return entries


def _principal_category(principal):
    if principal.endswith((".amazonaws.com", ".amazonaws.com.cn")):
        return "principal_service"
    return "arn" if principal.startswith("arn:") or principal == "*" else "account"


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


def _is_open_condition(entry):
    if entry.category == "arn":
        return _is_open_arn(entry.value)
    if entry.category == "cidr":
        return str(entry.value).endswith("/0")
    return str(entry.value).startswith("*")

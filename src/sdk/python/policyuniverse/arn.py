"""`ARN`: the parts of an Amazon Resource Name."""

import re

# arn:partition:service:region:account:resource
_ARN = re.compile(r"arn:(aws[a-z-]*):([^:]*):([^:]*):([^:]*):(.+)", re.DOTALL)


class ARN:
    """`error` is True for what is no ARN, account number, service or canonical id."""

    def __init__(self, input):
        self.arn = input
        self.error = False
        self.partition = self.tech = self.region = self.account_number = self.name = self.service = None
        self.root = False
        found = _ARN.fullmatch(input)
        if found:
            self.partition, self.tech, self.region, self.account_number, self.name = found.groups()
            self.root = self.name == "root"
        elif re.fullmatch(r"\d{12}|[0-9a-f]{64}", input):
            self.account_number = input
        elif re.fullmatch(r"[a-z0-9.-]+\.amazonaws\.com(\.cn)?", input):
            self.service = input
        else:
            self.error = True

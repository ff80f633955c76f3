"""`ARN`: the parts of an Amazon Resource Name."""

import re

# arn:partition:service:region:account:resource; the account may be missing, or be one of AWS's own names.
_ARN = re.compile(r"arn:([^:]*):([^:]*):([^:]*):(\*|\d{12}|cloudfront|aws|):(.+)$")
_ACCOUNT = re.compile(r"(\d{12})+$")
_SERVICE = re.compile(r"([^.]+(?:\.[^.]+)?)\.amazon(?:aws)?\.com$|([^.]+)\.aws\.internal$")


class ARN:
    """`error` is True for anything but an ARN, account number or service."""

    def __init__(self, raw):
        self.arn = raw
        self.error = self.root = self.service = False
        self.partition = self.tech = self.region = self.account_number = self.name = None
        arn = _ARN.match(raw)
        service = None if arn else _SERVICE.match(raw)
        if arn:
            self.partition, self.tech, self.region, self.account_number, self.name = arn.groups()
            self.root = self.tech == "iam" and self.name == "root"
        elif _ACCOUNT.match(raw):
            self.account_number = raw
        elif service:
            self.service = True
            self.tech = service.group(1) or service.group(2)
        else:
            self.error = True

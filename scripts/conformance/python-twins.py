"""
Asks one implementation of dateutil, policyuniverse, six and pycountry many questions and prints what it answers, a line of JSON each:
[module, question, answer]. Run once with the packages of PyPI and once with `src/sdk/python` before them, it gives two lists to compare
(`scripts/conformance-python.mjs`). An answer {"refused": name} is a question that the stand-in says it cannot answer.
"""

import json
import random
import sys
import warnings
from datetime import date, datetime, timedelta

import pycountry
import six
from dateutil import parser, tz, utils
from dateutil.relativedelta import FR, MO, SU, relativedelta
from policyuniverse.action_categories import actions_for_category, categories_for_actions
from policyuniverse.arn import ARN
from policyuniverse.expander_minimizer import (
    expand_minimize_over_policies,
    expand_policy,
    get_actions_from_statement,
    minimize_statement_actions,
)
from policyuniverse.organization import Organization
from policyuniverse.policy import Policy
from policyuniverse.statement import Statement

warnings.simplefilter("ignore")
REFUSALS = {"ActionsUnknown", "NotImplementedError", "TimeZoneUnknown", "ModuleNotFoundError"}
draw = random.Random(4848)
TODAY = datetime(2020, 2, 29, 13, 14, 15)


def plain(value):
    """JSON that is the same for equal answers."""
    if isinstance(value, (set, frozenset)):
        return sorted((plain(item) for item in value), key=repr)
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in sorted(value.items(), key=lambda pair: str(pair[0]))}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (datetime, date)):
        offset = value.utcoffset() if isinstance(value, datetime) else None
        return [value.isoformat(), None if offset is None else offset.total_seconds()]
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, relativedelta):
        return repr(value)
    if isinstance(value, (bytes, bytearray)):
        return ["bytes", value.hex()]
    return value if isinstance(value, (str, int, float, bool, type(None))) else repr(value)


def ask(module, question, call):
    try:
        answer = {"is": plain(call())}
    except Exception as error:
        name = type(error).__name__
        # A subclass of what the package raises is as good: rules catch by class.
        names = [one.__name__ for one in type(error).__mro__]
        answer = {"refused": name} if name in REFUSALS else {"raises": names[0]}
    print(json.dumps([module, question, answer]))


# -- dateutil ----------------------------------------------------------------------------------------------------------------------

MONTHS = "January Feb mar APRIL May June July Aug Sept Oct Nov December".split()
ZONES = ["", "Z", " UTC", " GMT", "+01:00", "-0530", " +0200", " EST", " GMT+3", " -0300 (BRST)", "+24", " utc"]


def a_date():
    year, month, day = draw.randint(1950, 2060), draw.randint(1, 13), draw.randint(1, 32)
    name = MONTHS[(month - 1) % 12]
    return draw.choice(
        [
            f"{year}-{month:02}-{day:02}",
            f"{year}{month:02}{day:02}",
            f"{month}/{day}/{year}",
            f"{day}.{month}.{year}",
            f"{day}/{month}/{year % 100:02}",
            f"{name} {day}, {year}",
            f"{day} {name} {year}",
            f"{day}-{name}-{year % 100:02}",
            f"{draw.choice(['Mon', 'tuesday', 'Sun,', 'Fri'])} {name} {day} {year}",
            f"{name} {year}",
            f"{year}",
            f"{day}th of {name} {year}",
            f"{name} {day}",
            f"{year}/{name}/{day}",
        ]
    )


def a_time():
    hour, minute, second = draw.randint(0, 25), draw.randint(0, 61), draw.randint(0, 60)
    return draw.choice(
        [
            "",
            f"{hour:02}:{minute:02}",
            f"{hour:02}:{minute:02}:{second:02}",
            f"{hour:02}:{minute:02}:{second:02}.{draw.randint(0, 9999999)}",
            f"{hour:02}:{minute:02}:{second:02},{draw.randint(0, 999)}",
            f"{hour % 13} {draw.choice(['AM', 'pm', 'p.m.', 'a'])}",
            f"{hour % 13}:{minute:02} {draw.choice(['AM', 'PM'])}",
            f"{hour}h{minute}m{second}s",
            f"{hour:02}{minute:02}{second:02}",
        ]
    )


def dates():
    for _ in range(1500):
        text = f"{a_date()}{draw.choice([' ', 'T', ' at ', '  '])}{a_time()}{draw.choice(ZONES)}".strip()
        if draw.random() < 0.1:
            text = f"{a_time()} {a_date()}".strip()
        options = draw.choice(
            [{}, {}, {}, {"dayfirst": True}, {"yearfirst": True}, {"fuzzy": True}, {"ignoretz": True}, {"fuzzy_with_tokens": True}]
        )
        if "fuzzy" in str(options):
            text = f"seen on {text} by someone"
        ask("dateutil", f"parse({text!r}, {options})", lambda: parser.parse(text, default=TODAY, **options))
    for _ in range(300):
        year, week, day = draw.randint(1999, 2030), draw.randint(0, 54), draw.randint(0, 400)
        text = draw.choice(
            [
                f"{year}-{week % 13:02}-{day % 32:02}",
                f"{year}{week % 13:02}{day % 32:02}",
                f"{year}-W{week:02}",
                f"{year}W{week:02}{day % 9}",
                f"{year}-W{week:02}-{day % 9}",
                f"{year}-{day:03}",
                f"{year}-{week % 13:02}",
                f"{year}",
            ]
        ) + draw.choice(["", "T10", "T24:00", "T1030", "T10:30:15", "T103015.123456", "T10:30:15,5", "T24:00:01", "T"])
        # Behind a date alone the package takes an offset for a month.
        text += "" if "T" not in text else draw.choice(["", "", "Z", "+01", "-0130", "+05:30", "+25:00", "-00:00"])
        ask("dateutil", f"isoparse({text!r})", lambda: parser.isoparse(text))
    weekdays = [None, MO, FR(-1), SU(2), MO(+1)]
    for _ in range(300):
        base = datetime(draw.randint(1990, 2030), draw.randint(1, 12), draw.randint(1, 28), draw.randint(0, 23), draw.randint(0, 59))
        other = base + timedelta(days=draw.randint(-3000, 3000), seconds=draw.randint(0, 86399))
        units = draw.sample(["years", "months", "weeks", "days", "hours", "minutes", "seconds", "microseconds"], 3)
        many = {unit: draw.randint(-40, 40) for unit in units}
        if draw.random() < 0.4:
            many[draw.choice(["year", "month", "day", "hour", "minute"])] = draw.randint(1, 12)
        weekday = draw.choice(weekdays)
        if weekday is not None:
            many["weekday"] = weekday
        ask("dateutil", f"{base} + relativedelta({many})", lambda: base + relativedelta(**many))
        ask("dateutil", f"{base} - relativedelta({many})", lambda: base - relativedelta(**many))
        ask("dateutil", f"relativedelta({other}, {base})", lambda: relativedelta(other, base))
        ask("dateutil", f"relativedelta({many}) as text", lambda: relativedelta(**many))
        ask("dateutil", f"relativedelta({many}) * 2", lambda: relativedelta(**many) * 2)
        ask("dateutil", f"relativedelta({many}).normalized()", lambda: relativedelta(**many).normalized())
    for text in ["UTC", "EST5EDT", "UTC+3", "GMT-2", "CET-1CEST", "nonsense", ""]:
        ask("dateutil", f"tzstr({text!r})", lambda: tz.tzstr(text).utcoffset(datetime(2021, 7, 1)))
        ask("dateutil", f"gettz({text!r})", lambda: (lambda zone: zone and zone.utcoffset(TODAY))(tz.gettz(text)) if text else None)
    for seconds in [0, 3600, -1800, 5 * 3600 + 1800]:
        zone = tz.tzoffset("X", seconds)
        ask("dateutil", f"tzoffset({seconds})", lambda: [TODAY.replace(tzinfo=zone), zone.tzname(TODAY), zone == tz.tzoffset("Y", seconds)])
    ask("dateutil", "within_delta", lambda: utils.within_delta(TODAY, TODAY + timedelta(seconds=1), timedelta(seconds=2)))
    ask("dateutil", "default_tzinfo", lambda: utils.default_tzinfo(TODAY, tz.UTC))


# -- policyuniverse ----------------------------------------------------------------------------------------------------------------

LISTED = ["ec2", "iam", "kms", "lambda", "s3", "sns", "sqs", "sts"]
NAMES = "getobject putobject listbucket putbucketpolicy describeinstances runinstances createuser attachrolepolicy decrypt putkeypolicy publish sendmessage assumerole invokefunction getsecretvalue createtags listkeys".split()
PRINCIPALS = [
    "*",
    {"AWS": "*"},
    {"AWS": "arn:aws:iam::123456789012:root"},
    {"AWS": ["123456789012", "arn:aws:iam::210987654321:role/R"]},
    {"Service": "lambda.amazonaws.com"},
    {"Federated": "cognito-identity.amazonaws.com"},
    {"CanonicalUser": "abc"},
    {"AWS": "arn:aws:iam::*:root"},
    {"AWS": "AROAXXXX"},
]
CONDITIONS = [
    {},
    {"StringEquals": {"aws:SourceAccount": "123456789012"}},
    {"StringLike": {"AWS:SourceArn": ["arn:aws:s3:::bucket", "arn:aws:s3:*:*:x"]}},
    {"ArnEquals": {"aws:sourcearn": "arn:aws:sns:us-east-1:123456789012:topic"}},
    {"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "0.0.0.0/0"]}},
    {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
    {"StringEquals": {"aws:PrincipalOrgID": "o-abc"}},
    {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-a1b2/r-ab12/ou-ab12-11111111/*"}},
    {"StringEqualsIfExists": {"aws:SourceVpce": "vpce-1"}},
    {"StringEquals": {"aws:SourceVpc": "vpc-1", "kms:CallerAccount": "123456789012"}},
    {"StringNotEquals": {"aws:SourceAccount": "123456789012"}},
    {"StringLike": {"aws:userid": "AROA*:*"}},
    {"Null": {"aws:SourceArn": "true"}},
    {"ForAllValues:StringEquals": {"aws:PrincipalArn": "*"}},
]


def an_action():
    service, name = draw.choice(LISTED), draw.choice(NAMES)
    return draw.choice([f"{service}:{name}", f"{service}:*", f"{service}:{name[:4]}*", f"{service}:*{name[-5:]}", f"{service}:{name[:6].title()}*", "*"])


def a_statement():
    statement = {"Effect": draw.choice(["Allow", "Allow", "Allow", "Deny"]), "Resource": draw.choice(["*", "arn:aws:s3:::b/*", ["a", "b"]])}
    key = "NotAction" if draw.random() < 0.1 else "Action"
    statement[key] = an_action() if draw.random() < 0.4 else [an_action() for _ in range(draw.randint(1, 3))]
    if draw.random() < 0.8:
        statement["NotPrincipal" if draw.random() < 0.1 else "Principal"] = draw.choice(PRINCIPALS)
    if draw.random() < 0.6:
        statement["Condition"] = draw.choice(CONDITIONS)
    return statement


def policies():
    for _ in range(60):
        document = {"Version": "2012-10-17", "Statement": [a_statement() for _ in range(draw.randint(1, 3))]}
        text = json.dumps(document)
        again = lambda: json.loads(text)
        ask("policyuniverse", f"Policy({text}).principals", lambda: Policy(again()).principals)
        ask("policyuniverse", f"Policy({text}).condition_entries", lambda: Policy(again()).condition_entries)
        ask("policyuniverse", f"Policy({text}).whos_allowed()", lambda: Policy(again()).whos_allowed())
        ask("policyuniverse", f"Policy({text}).is_internet_accessible()", lambda: Policy(again()).is_internet_accessible())
        ask("policyuniverse", f"Policy({text}).internet_accessible_actions()", lambda: Policy(again()).internet_accessible_actions())
        ask("policyuniverse", f"Policy({text}).action_summary()", lambda: Policy(again()).action_summary())
        ask("policyuniverse", f"expand_policy({text})", lambda: [sorted(one.get("Action", [])) for one in expand_policy(again())["Statement"]])
        ask("policyuniverse", f"get_actions_from_statement({text})", lambda: get_actions_from_statement(again()["Statement"][0]))
        if '"*"' not in text.replace('"Resource": "*"', ""):
            ask("policyuniverse", f"minimize({text})", lambda: sorted(minimize_statement_actions(again()["Statement"][0])))
        ask("policyuniverse", f"Statement({text}).effect", lambda: [getattr(Statement(again()["Statement"][0]), name) for name in ("effect", "principals", "resources", "uses_not_principal", "uses_not_resource")])
    for text in ["arn:aws:iam::123456789012:root", "arn:aws:s3:::b/*", "123456789012", "lambda.amazonaws.com", "x", "", "arn:aws:sns:us-east-1:*:t", "arn:aws-cn:ec2:x:12:i", "s3.us-east-1.amazonaws.com", "config.aws.internal", "arn:aws:iam::aws:policy/P"]:
        ask("policyuniverse", f"ARN({text!r})", lambda: [getattr(ARN(text), name) for name in ("error", "root", "service", "partition", "tech", "region", "account_number", "name")])
    # Without `ou_path`, a list that all organizations of the package share.
    for text in ["o-abc", "o-abc/*", "o-abc/r-x/ou-1/*", "x", "o-abc/r-x/ou-1/ou-*", "*", "o-abc/x", "o-a/r-b/*/ou-c", "o-a/r-b/"]:
        ask("policyuniverse", f"Organization({text!r})", lambda: [getattr(Organization(text), name) for name in ("error", "organization", "root", "valid_for_all_ous", "valid_for_child_ous", "valid_for_parent_ou")])
    for category in ["Read", "List", "Write", "Tagging", "Permissions"]:
        for service in LISTED:
            ask("policyuniverse", f"{category} actions of {service}", lambda: {one for one in actions_for_category(category) if one.startswith(service + ":")})
    # Whether an action exists the stand-in knows of the services that it lists; of others it reads the level from the name.
    for service in LISTED:
        for name in NAMES:
            ask("policyuniverse", f"categories_for_actions({service}:{name})", lambda: categories_for_actions([f"{service}:{name}"]))


# -- pycountry and six -------------------------------------------------------------------------------------------------------------


def countries():
    for country in sorted(pycountry.countries, key=lambda one: one.alpha_2):
        code = country.alpha_2
        ask("pycountry", f"{code}", lambda: [country.alpha_2, country.alpha_3, country.numeric, country.name, country.flag])
        ask("pycountry", f"{code} common name", lambda: getattr(country, "common_name", None))
        ask("pycountry", f"get({code})", lambda: pycountry.countries.get(alpha_2=code.lower()).alpha_3)
        ask("pycountry", f"get by alpha_3 of {code}", lambda: pycountry.countries.get(alpha_3=country.alpha_3).alpha_2)
        ask("pycountry", f"get by numeric of {code}", lambda: pycountry.countries.get(numeric=country.numeric).alpha_2)
        ask("pycountry", f"lookup({country.name})", lambda: pycountry.countries.lookup(country.name).alpha_2)
    for text in ["ZZ", "germany", "DEU", "276", "Atlantis", ""]:
        ask("pycountry", f"lookup({text!r})", lambda: pycountry.countries.lookup(text).alpha_2)
        ask("pycountry", f"get(alpha_2={text!r})", lambda: pycountry.countries.get(alpha_2=text) and pycountry.countries.get(alpha_2=text).name)
    ask("pycountry", "how many", lambda: len(pycountry.countries))


def sixes():
    for expression in [
        "six.PY2, six.PY3, six.PY34, six.string_types, six.integer_types, six.text_type, six.binary_type, six.MAXSIZE",
        "six.b('é'), six.u('é'), six.unichr(233), six.int2byte(7), six.byte2int(b'x'), six.indexbytes(b'xyz', 1)",
        "list(six.iterbytes(b'ab')), list(six.iteritems({'a': 1})), list(six.iterkeys({'a': 1})), list(six.itervalues({'a': 1}))",
        "six.ensure_str(b'a'), six.ensure_text(b'a'), six.ensure_binary('a'), six.ensure_str('a')",
        "six.ensure_str(1)",
        "six.ensure_text(1)",
        "six.ensure_binary(1)",
        "sorted(six.viewkeys({'b': 1, 'a': 2})), six.next(iter([3])), six.callable(len)",
        "six.moves.range(3), list(six.moves.zip([1], [2])), list(six.moves.map(str, [1])), list(six.moves.filter(None, [0, 1]))",
        "six.moves.reduce(lambda a, b: a + b, [1, 2, 3]), six.moves.input is input, six.moves.xrange(2)",
        "six.moves.urllib.parse.quote('a b'), six.moves.urllib.parse.urlparse('http://h/p?q=1').netloc",
        "six.moves.urllib.parse.urlencode({'a': 'b c'}), six.moves.urllib.parse.parse_qs('a=1&a=2')",
        "six.StringIO('a').read(), six.BytesIO(b'a').read()",
    ]:
        ask("six", expression, lambda: eval(expression, {"six": six}))
    ask("six", "raise_from", lambda: six.raise_from(ValueError("a"), None))
    ask("six", "reraise", lambda: six.reraise(KeyError, KeyError("a")))
    ask("six", "moves.http_client", lambda: __import__("six.moves.http_client"))


if __name__ == "__main__":
    import six.moves.urllib.parse  # noqa: F401

    for group in sys.argv[1:] or ["dates", "policies", "countries", "sixes"]:
        globals()[group]()

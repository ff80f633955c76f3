"""What the host calls. Numbers and addresses only: no object of either side is visible to the other."""

import json
import random
from array import array

from _caracal import cache, judge, limits, shipped, testing
from _caracal.code import compile_all, remember
from _caracal.content import CarefulRule, Content

_input = array("B")
_output = array("B")
_content = None


def room(size):
    """Address of a buffer of `size` bytes for the next call's input."""
    global _input
    _input = array("B", bytes(size))
    return _input.buffer_info()[0]


def _answer(value):
    """Keeps the answer and gives its length; the host asks for the address next."""
    global _output, _input
    # Everything beyond ASCII is escaped, so lone surrogates travel too.
    _output = array("B", json.dumps(value, separators=(",", ":")).encode("ascii"))
    _input = array("B")
    return len(_output)


def address():
    return _output.buffer_info()[0]


def _take():
    return str(_input, "utf-8", "replace")


def compile():
    """Input: [[file, source]]. Answer: [compiled code as text, or null]."""
    return _answer(compile_all(json.loads(_take())))


def load():
    """Input: `LoadContent` of protocol.ts. Answer: {errors: [[id, cause, message]]}."""
    global _content
    spec = json.loads(_take())
    remember(spec["sources"], spec["compiled"])
    _content = Content(spec)
    judge.settle()
    return _answer({"errors": _content.errors})


def necessary():
    """Input: `NecessaryContent` of protocol.ts. Answer: lines of JSON, see there."""
    global _output, _input
    # Only a child that does nothing else comes here: the others need not hold it.
    from _caracal.necessary import necessary as read

    _output = array("B", read(_take(), shipped.helper_sources()).encode("ascii"))
    _input = array("B")
    return len(_output)


def fill():
    """Input: [[key, entry]] of the cache of rules."""
    cache.table().fill(json.loads(_take()))
    return _answer({})


def evaluate(header):
    """Input: NDJSON. `header`: `EvaluateHeader` of protocol.ts. Answer: {rows, seconds, cacheWrites}."""
    request = json.loads(header)
    log_type = request["logType"]
    all_rules = _content.by_log_type[log_type]
    rules = [all_rules[number] for number in request["rules"]]
    if request["careful"]:
        rules = [CarefulRule(rule) for rule in rules]
    skip = {}
    for number, event in request["skip"]:
        skip.setdefault(number, set()).add(event)
    events = judge.parse(_take(), _content.models.get(log_type))
    seconds = []
    rows = judge.judge(rules, events, skip, seconds, request.get("only"))
    return _answer({"rows": rows, "seconds": seconds, "cacheWrites": cache.table().take_changes()})


def test():
    """Input: [{ruleId, log, mocks}]. Answer: [{out, errors, printed, ms}]."""
    requests = json.loads(_take())
    return _answer(
        [
            testing.run(_content.rules[item["ruleId"]], item["log"], item["mocks"], _content.models, number)
            for number, item in enumerate(requests)
        ]
    )


def start():
    """After start from a snapshot: what must differ between two processes."""
    random.seed()
    limits.install()
    return limits.ADDRESS

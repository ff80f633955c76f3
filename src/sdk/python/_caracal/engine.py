"""The functions that the host calls. They exchange only numbers and addresses: no object is visible to the other side."""

import gc
import random
from array import array

from _caracal import cache, judge, limits, shipped, testing, wire
from _caracal.close import hide
from _caracal.code import compile_all, remember
from _caracal.content import CarefulRule, Content
from _caracal.messages import safe_repr

_input = array("B")
_output = array("B")
_content = None
# The input of `evaluate`, read by `prepare`.
_batch = None
# The suspect that `prepare_suspect` has chosen, and its events.
_suspect = None
# The answer for the host, or its text.
_result = None


def room(size):
    """Address of a buffer of `size` bytes for the next call's input."""
    global _input
    _input = array("B", bytes(size))
    return _input.buffer_info()[0]


def answer():
    """Length of the last call's answer; the host gets the address next."""
    global _output, _input, _result
    text = _result if type(_result) is str else wire.dumps(_result)
    _output = array("B", text.encode("ascii"))
    _input = array("B")
    _result = None
    return len(_output)


def address():
    return _output.buffer_info()[0]


def _take():
    return str(_input, "utf-8", "replace")


def compile():
    """Input: [[file, source]]. Answer: [compiled code as text, or null]."""
    global _result
    _result = compile_all(wire.loads(_take()))


def load():
    """Input: `LoadContent` of protocol.ts. Answer: `LoadAnswer`."""
    global _content, _result
    spec = wire.loads(_take())
    hide()
    remember(spec["sources"], spec["compiled"])
    _content = Content(spec)
    judge.settle()
    _result = {"errors": _content.errors, "broken": _content.broken_helpers(), "changed": _content.changed}


def necessary():
    """Input: `NecessaryContent` of protocol.ts. Answer: lines of JSON, see there."""
    global _result
    # Only a child that does nothing else comes here: the others need not hold it.
    from _caracal.necessary import necessary as read

    _result = read(_take(), shipped.helper_sources())


def fill():
    """Input: [[key, entry or None]] of the cache of rules."""
    global _result
    cache.table().fill(wire.loads(_take()))
    _result = {}


def prepare(header):
    """
    Input: NDJSON. `header`: `EvaluateHeader` of protocol.ts. Reads both for `evaluate`: no code of rules runs here. Gives the
    numbers of the suspect rules, which `prepare_suspect` and `suspect` judge after it, separated by commas.
    """
    global _batch
    request = wire.loads(header)
    log_type = request["logType"]
    all_rules = _content.by_log_type[log_type]
    rules = [all_rules[number] for number in request["rules"]]
    if request["careful"]:
        rules = [CarefulRule(rule) for rule in rules]
    skip = {}
    for number, event in request["skip"]:
        skip.setdefault(number, set()).add(event)
    apart = judge.suspects(rules)
    others = [number for number in range(len(rules)) if number not in apart]
    text = _take()
    model = _content.models.get(log_type)
    # If all rules are suspects, there are no others to protect.
    events = judge.parse(text, model) if others else []
    _batch = rules, others, events, skip, request.get("only"), request["watch"], text, model
    return ",".join(map(str, apart))


def evaluate():
    """
    Judges what `prepare` has read, but for the suspects. Answer: {rows, seconds, cacheWrites, cacheEvictions}, or {changed} when a
    rule has changed what all share.
    """
    global _batch, _result
    rules, numbers, events, skip, only, watch, text, model = _batch
    # The events go when this call ends: what rules have tied to their end is still under the limit.
    _batch = (rules, skip, only, text, model) if len(numbers) < len(rules) else None
    del text
    batch = rules, numbers, events, skip, only
    seconds = [0] * len(rules)
    shared = _content.shared
    try:
        rows = judge.judge(*batch, seconds, shared, watch)
        written = [rules[number].suspicion for number in numbers if rules[number].suspicion]
        changed = shared.changed(items=frozenset().union(*written) if written else ())
    except BaseException as error:
        if isinstance(error, judge.Tampering):
            _result = {"changed": error.args}
            return
        # What it has changed the engine may have stumbled over.
        changed = shared.changed(thoroughly=True)
        if changed is None:
            _result = {"failed": f"the engine failed: {safe_repr(error)}"}
            return
    if changed is None:
        _result = {"rows": rows, "seconds": seconds, **_cache_changes()}
        return
    # This child is lost. Which rule it was shows when they run once more, one by one; if not, the host asks the next child.
    shared.restore()
    try:
        judge.judge(*batch, [0] * len(rules), shared, True)
        _result = {"changed": [None, changed]}
    except judge.Tampering as error:
        _result = {"changed": error.args}


def prepare_suspect(number):
    """Gives a suspect rule events of its own: what it does to them nobody else sees."""
    global _suspect
    _rules, skip, only, text, model = _batch
    seen = None if only is None else only[number]
    _content.others().take()
    _suspect = number, judge.parse_seen(text, model, seen, skip.get(number, ()))


def suspect():
    """
    Judges one. Answer: {rows, seconds, cacheWrites, cacheEvictions, looked}, where `looked` is how much was compared
    afterwards, or {changed}. The host has taken the answers of the others by then.
    """
    global _result, _suspect
    rules, skip, only, _text, _model = _batch
    number, events = _suspect
    _suspect = None
    seconds = [0] * len(rules)
    shared = _content.shared
    shared.looked = 0
    failed = rows = None
    try:
        rows = judge.judge(rules, [number], events, skip, only, seconds, shared, False)
    except BaseException as error:
        failed = f"the engine failed: {safe_repr(error)}"
    changed = shared.changed(thoroughly=True) or _content.others().changed(rules[number])
    if changed is not None:
        _result = {"changed": [number, changed]}
    elif failed:
        _result = {"failed": failed}
    else:
        shared.put_back()
        _result = {"rows": rows, "seconds": seconds, **_cache_changes(), "looked": shared.looked + _content.others().size}


def _cache_changes():
    table = cache.table()
    return {"cacheWrites": table.take_changes(), "cacheEvictions": table.take_evictions()}


def watched():
    """How much a look after a suspect compares, right after loading."""
    shared = _content.shared
    shared.looked = 0
    shared.changed(thoroughly=True)
    return shared.looked + _content.others().size


def done():
    """A batch has been judged: drops everything about it."""
    global _batch
    _batch = None


def test():
    """Input: [`TestRequest` of protocol.ts]. Answer: [`TestAnswer`]."""
    global _result
    requests = wire.loads(_take())
    _result = [
        testing.run(_content.rules[item["ruleId"]], item, _content.models, number, _content.sources)
        for number, item in enumerate(requests)
    ]


def start():
    """After start from a snapshot: what must differ between two processes."""
    random.seed()
    # Batches of parsed JSON have no cycles; the default thresholds would walk them repeatedly.
    gc.set_threshold(50_000, 20, 100)
    limits.install()
    return limits.ADDRESS

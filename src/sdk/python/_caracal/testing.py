"""One unit test of one rule: every function runs, nothing is truncated or replaced, errors are recorded."""

import io
import json
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from time import perf_counter
from unittest.mock import MagicMock, patch

from panther_core import PantherEvent, enriched_event

from _caracal import cache, lookups
from _caracal.functions import CHECKS, ORDER, to_json, wrong_type
from _caracal.limits import FUNCTIONS, RuleTimeout, mark, stopped
from _caracal.messages import place_of, safe_repr
from _caracal.tracing import Tracer

MAX_PRINTED = 256 * 1024

# In a test's log: key -> a number (a counter), a list (a string set) or a map (a dictionary).
CACHE_SEED = "_mocked_cache_"


class Printed(io.TextIOBase):
    """Keeps what a rule prints, up to a limit."""

    def __init__(self):
        self.parts = []
        self.size = 0

    def writable(self):
        return True

    def write(self, text):
        room = MAX_PRINTED - self.size
        if room > 0:
            self.parts.append(text[:room])
            self.size += min(len(text), room)
            if len(text) >= room:
                self.parts.append("\n... (truncated)\n")
        return len(text)

    def text(self):
        return "".join(self.parts)


class Nowhere(io.TextIOBase):
    """Takes what rules print in production."""

    def writable(self):
        return True

    def write(self, text):
        return len(text)


def run(rule, test, models, number, sources):
    """
    {out, errors, where, printed, ms} of one test: a `TestRequest` of protocol.ts. `number` tells tests of one request apart in marks.
    `sources`: the text of each file, for a test that is traced, whose answer has `trace` too.
    """
    printed = Printed()
    saved = sys.stdout, sys.stderr
    sys.stdout = sys.stderr = printed
    out = {}
    errors = {}
    where = {}
    trace = {}
    started = perf_counter()
    enriched_event.engine_times = test["isLive"]
    tracer = Tracer(rule.files, sources) if test["trace"] else None
    enriched_event.engine_lookup = lookups.find if test["hasTables"] else None
    try:
        log = json.loads(test["log"])
        # Beside the event, as what a table would answer is: what the cache of rules holds before this test.
        seed = log.pop(CACHE_SEED, None) if isinstance(log, dict) else None
        subject = _subject(rule, log, models)
        patches = {
            mock["objectName"]: MagicMock(return_value=mock["returnValue"])
            for mock in test["mocks"]
            if "objectName" in mock and "returnValue" in mock
        }
        with cache.isolated(seed), patch.multiple(rule.module, **patches) if patches else nullcontext():
            _run_functions(rule, subject, number * FUNCTIONS + 1, out, errors, where, tracer)
        if tracer:
            mark[0] = number * FUNCTIONS + 1
            trace = {"trace": tracer.answer()}
    except BaseException as error:
        stopped.clear()
        errors["detection"] = safe_repr(error)
    finally:
        mark[0] = 0
        sys.stdout, sys.stderr = saved
    return {"out": out, "errors": errors, "where": where, "printed": printed.text(), "ms": (perf_counter() - started) * 1000, **trace}


def _subject(rule, log, models):
    """The argument of the functions: an event with the data model of its log type, or a policy's plain resource."""
    if rule.kind == "policy":
        return log
    log_type = log.get("p_log_type") if rule.kind == "rule" and isinstance(log, dict) else None
    return PantherEvent(log, models.get(log_type) if isinstance(log_type, str) else None)


def _run_functions(rule, subject, first, out, errors, where, tracer):
    # Looked up again: a mock may have replaced one of the rule's own functions.
    module = vars(rule.module)
    main = module[rule.main]
    traced = main if tracer is None else lambda event: tracer.run(main, event)
    _run_one(rule, "detection", traced, subject, first, out, errors, where)
    for place, name in enumerate(ORDER, 1):
        if callable(module.get(name)):
            _run_one(rule, name, module[name], subject, first + place, out, errors, where)


def _run_one(rule, name, function, subject, here, out, errors, where):
    mark[0] = here
    try:
        value = function(subject)
        if stopped:
            raise RuleTimeout(f"took longer than {mark[2]} ms of processor time")
        if name == "detection":
            if value is not True and value is not False:
                raise wrong_type(rule.id, rule.main, value, "bool")
        elif name in CHECKS:
            CHECKS[name](rule.id, name, value)
        # An invalid return value is an error without output.
        out[name] = to_json(dict(value) if isinstance(value, Mapping) else value)[0]
        mark[0] = 0
    except BaseException as error:
        mark[0] = 0
        stopped.clear()
        errors[name] = safe_repr(error)
        place = place_of(error, rule.files)
        if place:
            where[name] = place

"""Judges a batch of events with all rules of its log type: the loop that everything else exists for."""

import gc
from bisect import bisect_right
from time import perf_counter

from panther_core import PantherEvent, enriched_event
from panther_core.enriched_event import event_of

from _caracal.functions import CHECKS, FUNCTIONS_WITH_TEXT, context_error, cut, wrong_type
from _caracal import cache, lookups, wire
from _caracal.limits import FUNCTIONS, RuleTimeout, mark, stopped
from _caracal.messages import locate, safe_repr
from _caracal.shared import NAMES

# After this many timeouts of one rule in one batch, the rest of its events are answered without running it.
MAX_TIMEOUTS = 3

# Once a rule has timed out in a batch, the rest of its calls there have this part of the limit.
IMPATIENCE = 10

# For an interrupted call that returned anyway, and for a match's other functions.
_SWALLOWED = "rule() or another of its functions took too long and was interrupted"


def parse(text, model):
    """Events of an NDJSON text, each an event with the data model or the exception that reading it raised."""
    try:
        # One call for all lines: the decoder then shares the key strings of all events.
        return [event_of(item, model) for item in wire.loads("[" + text.rstrip("\n").replace("\n", ",") + "]")]
    except (ValueError, RecursionError):
        return [_parse_one(line, model) for line in text.split("\n")[:-1]]


def _parse_one(line, model):
    try:
        return event_of(wire.loads(line), model)
    except (ValueError, RecursionError) as error:
        return error


class Tampering(BaseException):
    """A rule has changed what all rules share: (its number, what)."""


def judge(rules, numbers, events, skip, only, timings, shared, watch):
    """
    The findings of the rules of these numbers as JSON-ready rows, rule by rule in order of events. `skip`: {rule number: events
    not to run}; `only`: for each rule the events that it sees; `timings`: seconds by rule number. With `watch` it is looked after
    each rule whether it has changed what all share; raises `Tampering` then.
    """
    rows = []
    count = len(rules)
    enriched_event.engine_times = True
    enriched_event.engine_lookup = lookups.find
    lookups.forget()
    bad = {index for index, event in enumerate(events) if event is not None and type(event) is not PantherEvent}
    table = cache.table()
    for number in numbers:
        rule = rules[number]
        table.writer = rule.id
        left_out = bad | skip.get(number, _NONE) if bad or skip else None
        seen = None if only is None else only[number]
        started = perf_counter()
        if watch:
            _watch_rule(shared, number, _judge_rule, rule, number, count, events, seen, left_out, rows)
        else:
            _judge_rule(rule, number, count, events, seen, left_out, rows)
        timings[number] = perf_counter() - started
        for index in sorted(bad if seen is None else bad.intersection(seen)):
            rows.append([index, number, "exception", f"the event cannot be read: {safe_repr(events[index])}"])
    mark[0] = 0
    table.writer = ""
    return rows


_NONE = frozenset()


def suspects(rules):
    """Numbers of the rules that are judged apart: their code may come to what is not its own."""
    return [number for number, rule in enumerate(rules) if rule.suspicion is NAMES]


def parse_seen(text, model, seen, skip):
    """As `parse`, for a rule that sees these events alone (None: all): the other places hold None."""
    if seen is None:
        return parse(text, model)
    lines = text.split("\n")
    events = [None] * (len(lines) - 1)
    chosen = [index for index in seen if index not in skip]
    for index, event in zip(chosen, parse("".join([lines[index] + "\n" for index in chosen]), model)):
        events[index] = event
    return events


def _watch_rule(shared, number, function, *arguments):
    try:
        function(*arguments)
    finally:
        changed = shared.changed(thoroughly=True)
        if changed is not None:
            shared.restore()
            raise Tampering(number, changed)


def _judge_rule(rule, number, count, events, seen, left_out, rows):
    function = rule.rule
    step = count * FUNCTIONS
    first = number * FUNCTIONS + 1
    at = 0
    timeouts = 0
    limit = mark[2]
    size = len(events)
    if seen is None:
        seen = range(size)
        is_all = left_out is None
    else:
        is_all = False
    if left_out is not None:
        seen = [index for index in seen if index not in left_out]
    if not is_all:
        size = len(seen)
    while at < size:
        here = first + at * step
        try:
            # No `try` inside the loop and one store per call: this is where the time of a quiet stream goes.
            if is_all:
                for event in events[at:] if at else events:
                    mark[0] = here
                    answer = function(event)
                    if answer is not False and not stopped:
                        _answered(rule, answer, event, here, (here - first) // step, number, rows)
                    if stopped:
                        raise RuleTimeout(_SWALLOWED)
                    here += step
                mark[2] = limit
                return
            for index in seen[at:] if at else seen:
                here = first + index * step
                mark[0] = here
                answer = function(events[index])
                if answer is not False and not stopped:
                    _answered(rule, answer, events[index], here, index, number, rows)
                if stopped:
                    raise RuleTimeout(_SWALLOWED)
            mark[2] = limit
            return
        except BaseException as error:
            mark[3] = here
            mark[0] = 0
            index = (here - first) // step
            # However it handled the interruption.
            slow = isinstance(error, RuleTimeout) or bool(stopped)
            stopped.clear()
            rows.append([index, number, "timeout" if slow else "exception", locate(error, rule.files, rule.file)])
            at = index + 1 if is_all else bisect_right(seen, index)
            timeouts += slow
            if slow and timeouts == 1:
                # The others have waited for one whole limit.
                mark[2] = max(1, limit // IMPATIENCE)
            if timeouts >= MAX_TIMEOUTS:
                mark[3] = 0
                mark[2] = limit
                text = f"{rule.file}: not run on this event: rule() took too long on {timeouts} events before it"
                rows.extend([later, number, "timeout", text] for later in seen[at:])
                return
        # Only now the exception, and with it what the rule's frames held, is gone.
        mark[3] = 0
    mark[2] = limit


def _answered(rule, answer, event, here, index, number, rows):
    """rule() answered something other than False: a match, or a wrong type."""
    if answer is True:
        rows.append(_match(rule, event, here, index, number))
        return
    error = wrong_type(rule.id, rule.main, answer, "bool")
    rows.append([index, number, "return_type", f"{rule.file}:{rule.line} in {rule.main}: {error}"])


def _match(rule, event, here, index, number):
    """[event, rule, {function: value}, {function: error}, what it looked up]: only what the rule's own functions gave."""
    values = {}
    errors = {}
    for place, name, function in rule.functions:
        mark[0] = here + place
        try:
            value = CHECKS[name](rule.id, name, function(event))
            values[name] = cut(value) if name in FUNCTIONS_WITH_TEXT else value
            mark[0] = 0
        except BaseException as error:
            mark[3] = here
            mark[0] = 0
            errors[name] = locate(error, rule.files, rule.file)
            if name == "alert_context":
                values[name] = context_error(safe_repr(error))
        mark[3] = 0
    return [index, number, values, errors, lookups.noted(here)]


def settle():
    """Called after loading: existing objects are permanent, so the collector can skip them."""
    gc.collect()
    gc.freeze()

"""
Follows one call of a rule's main function: which conditions it tested, with which outcome, what it read, and what it returned.

Only explanations run under it. The ordinary path never does: following every instruction makes Python a hundred times slower.
"""

import ast
import dis
import sys

from _caracal.messages import describe
from panther_core import PantherEvent
from panther_core.immutable import ImmutableCaseInsensitiveDict, ImmutableList

MAX_STEPS = 40
MAX_READS = 60
MAX_VALUES = 12
MAX_DEPTH = 8
MAX_TEXT = 300

_CONSTANTS = ("LOAD_CONST", "LOAD_SMALL_INT", "LOAD_COMMON_CONSTANT")
# Instructions that compute no value of their own: what was computed last is what a jump or a return is about.
_SILENT = frozenset(
    "CACHE COPY COPY_FREE_VARS END_FOR EXTENDED_ARG JUMP_BACKWARD JUMP_BACKWARD_NO_INTERRUPT JUMP_FORWARD MAKE_CELL "
    "NOP NOT_TAKEN POP_EXCEPT POP_ITER POP_TOP PUSH_EXC_INFO PUSH_NULL RESUME RETURN_VALUE STORE_ATTR STORE_SUBSCR SWAP "
    "TO_BOOL".split()
)
# A whole event, or a module, is no explanation.
_HIDDEN = (PantherEvent, type(sys))
_SCALARS = (str, int, float, bool, type(None))


class _Instruction:
    __slots__ = ("kind", "place", "next", "names", "jumps_if", "is_call", "may_call", "whole", "from_loop")


def _plan(code):
    """Offset -> what the instruction there is about."""
    plan = {}
    before = None
    listed = list(dis.get_instructions(code))
    for item in listed:
        made = _Instruction()
        where = item.positions
        made.place = None
        if where is not None and None not in tuple(where):
            made.place = (where.lineno, where.col_offset, where.end_lineno, where.end_col_offset)
        name = item.opname
        made.names = ()
        made.jumps_if = None
        made.whole = None
        made.is_call = name.startswith("CALL")
        # An iteration calls functions too, at the place of what it iterates over.
        made.may_call = made.is_call or name in ("BINARY_OP", "BINARY_SUBSCR", "CONTAINS_OP", "COMPARE_OP", "LOAD_ATTR")
        if name.startswith("POP_JUMP"):
            made.kind = "jump"
            made.jumps_if = name.removeprefix("POP_JUMP_IF_")
        elif name == "FOR_ITER":
            made.kind = "loop"
        elif name == "CHECK_EXC_MATCH":
            made.kind = "catch"
        elif name in _CONSTANTS:
            made.kind = "constant"
        elif name.startswith("STORE_") and name not in ("STORE_ATTR", "STORE_SUBSCR"):
            made.kind = "store"
            made.names = _names_of(item.argval)[:1]
            made.from_loop = before is not None and before.kind == "loop"
        elif name in _SILENT or made.place is None:
            made.kind = "silent"
        else:
            made.kind = "value"
        made.next = None
        if before is not None:
            before.next = item.offset
        plan[item.offset] = before = made
    _find_loops_of_calls(plan, listed)
    return plan


def _find_loops_of_calls(plan, listed):
    """`any(… for …)` and `all(…)` are compiled to a loop at the place of their name: what is tested there is the whole call."""
    named = {plan[item.offset].place for item in listed if item.opname == "LOAD_GLOBAL" and item.argval in ("any", "all")}
    calls = [plan[item.offset] for item in listed if item.opname == "CALL" and plan[item.offset].place is not None]
    for at in plan.values():
        if at.place in named and at.kind in ("jump", "loop"):
            at.whole = next((call for call in calls if call.place[:2] == at.place[:2] and call.place != at.place), None)


def _names_of(argument):
    """An instruction may load two variables at once."""
    if type(argument) is str:
        return (argument,)
    return tuple(name for name in argument if type(name) is str) if type(argument) is tuple else ()


class _Call:
    """A call from the rule's own code, and its result."""

    __slots__ = ("frame", "value", "is_read", "order", "failed")


class _Frame:
    """One call of a function in a file of the content."""

    __slots__ = ("code", "plan", "last", "pending", "steps", "names", "value", "stored", "raised", "catches")


class Tracer:
    def __init__(self, files, sources):
        self._files = files
        self._sources = sources
        self._plans = {}
        self._names = {}
        self._main = None
        # (file, place) -> the last call there.
        self._calls = {}
        self._order = 0
        self._subject = None

    def run(self, function, subject):
        self._subject = subject
        sys.settrace(self._enter)
        try:
            return function(subject)
        finally:
            sys.settrace(None)

    def _enter(self, frame, event, _argument):
        if event != "call":
            return None
        code = frame.f_code
        caller = frame.f_back
        from_user = caller is not None and caller.f_code.co_filename in self._files
        if code.co_filename in self._files:
            return self._follow(frame, code, caller if from_user else None)
        return self._note_result(frame, caller) if from_user else None

    def _call_at(self, caller, name):
        """`name`: of the called function, if it was called there by name; C functions call others from the same place."""
        plan = self._plan_of(caller.f_code)
        at = plan.get(caller.f_lasti)
        if at is None or at.place is None or not at.may_call:
            return None
        if at.is_call and name not in ("__call__", None) and name not in self._text(caller.f_code.co_filename, at.place):
            return None
        call = _Call()
        call.frame = None
        call.value = None
        call.is_read = False
        call.failed = True
        self._order += 1
        call.order = self._order
        self._calls[caller.f_code.co_filename, at.place] = call
        return call

    def _note_result(self, frame, caller):
        """A function that is not the content's: only its result counts."""
        call = self._call_at(caller, frame.f_code.co_name)
        if call is None:
            return None
        call.is_read = frame.f_code.co_filename.startswith("panther_core/") or frame.f_code.co_name in ("deep_get", "deep_walk")
        frame.f_trace_lines = False

        def returned(_frame, event, value):
            if event == "return":
                call.value = value
                # Where it raised, the value is None too.
                call.failed = bool(raised) and value is None
            elif event == "exception":
                raised.append(True)
            return returned

        raised = []

        return returned

    def _plan_of(self, code):
        plan = self._plans.get(code)
        if plan is None:
            plan = self._plans[code] = _plan(code)
        return plan

    def _follow(self, frame, code, caller):
        state = _Frame()
        state.code = code
        state.plan = plan = self._plan_of(code)
        state.last = None
        state.pending = None
        state.steps = {}
        state.stored = {}
        state.raised = None
        state.catches = False
        state.names = None
        state.value = None
        if self._main is None:
            self._main = state
        call = self._call_at(caller, None) if caller is not None and not code.co_name.startswith("<") else None
        raised = []
        if call is not None:
            call.is_read = False
            call.frame = state

        def step(frame, event, value):
            if event == "opcode":
                raised.clear()
                offset = frame.f_lasti
                if state.pending is not None:
                    self._settle(state, frame, offset)
                at = plan.get(offset)
                if at is None:
                    return step
                kind = at.kind
                if kind == "value" or kind == "constant":
                    state.last = at
                elif kind == "jump":
                    if state.catches:
                        state.catches = False
                        if state.raised is not None:
                            state.pending = at, *state.raised
                        return step
                    # `x is None` has no instruction of its own, and the jump has its place.
                    tested = at if at.jumps_if in ("NONE", "NOT_NONE") else at.whole or state.last
                    if tested is not None:
                        state.pending = at, tested, self._named(frame, tested.place)
                elif kind == "catch":
                    state.catches = True
                elif kind == "store":
                    if at.from_loop:
                        state.stored.pop(at.names[0], None)
                    elif state.last is not None:
                        for name in at.names:
                            state.stored[name] = state.last, self._named(frame, state.last.place)
                elif kind == "loop":
                    tested = at.whole or at
                    state.pending = at, tested, self._named(frame, tested.place)
            elif event == "return":
                state.value = value
                state.names = None if state.last is None else self._named(frame, state.last.place)
                if call is not None:
                    call.value = value
                    call.failed = bool(raised)
            elif event == "exception":
                at = plan.get(frame.f_lasti)
                if not raised and at is not None and at.place is not None:
                    error = f"raised {describe(value[1])}"[:MAX_TEXT]
                    state.raised = at, self._named(frame, at.place), error
                raised.append(True)
            return step

        frame.f_trace_lines = False
        # In this order: it only follows instructions of a frame that has a function for it.
        frame.f_trace = step
        frame.f_trace_opcodes = True
        return step

    def _settle(self, state, frame, offset):
        """The instruction after a jump shows which way it went."""
        at, tested, names, *error = state.pending
        state.pending = None
        is_next = offset == at.next
        if error and not is_next:
            return
        if error:
            outcome = error[0]
        elif at.kind == "loop":
            # Only the end of a loop decides what comes after it.
            if is_next:
                return
            outcome = "end"
        else:
            outcome = "next" if is_next else "jumped"
        # In the order of the last time.
        state.steps.pop(tested.place, None)
        state.steps[tested.place] = (at, tested, names, outcome)

    def _named(self, frame, place):
        """The variables that a piece of code names, and their values then."""
        found = {}
        if place is None:
            return found
        file = frame.f_code.co_filename
        names = self._names.get((file, place))
        if names is None:
            names = self._names[file, place] = _variables(self._text(file, place))
        if names:
            local = frame.f_locals
            for name in names:
                if name in local:
                    found[name] = local[name]
                elif name in frame.f_globals:
                    found[name] = frame.f_globals[name]
        return found

    def answer(self):
        """`Trace` of protocol.ts."""
        if self._main is None:
            return {"steps": [], "decided": [], "reads": []}
        return {
            "steps": [self._step(self._main, *step) for step in list(self._main.steps.values())[-MAX_STEPS:]],
            "decided": self._decided(self._main, 0),
            "reads": self._reads(),
        }

    def _decided(self, state, depth):
        """What decided about a function's result: its own line first, then what decided in the function that it called there."""
        steps = list(state.steps.values())
        if state.last is None:
            return []
        text = self._text(state.code.co_filename, state.last.place)
        is_plain = state.last.kind == "constant" or (text.isidentifier() and text not in state.stored)
        if is_plain and steps:
            at, tested, names, outcome = steps[-1]
            made = self._step(state, at, tested, names, outcome)
            place = tested.place
        else:
            last, names = state.last, state.names or {}
            if last.kind == "value" and text in state.stored:
                # What is returned by name is explained by what it was set to.
                last, names = state.stored[text]
            place = last.place
            made = self._described(state, place, names)
            made["outcome"] = _shown(state.value)
            made["kind"] = "return"
            made["values"] = [pair for pair in made["values"] if pair[0] != made["text"]]
        # The call that is the condition, or the last one in it.
        inner = [
            (call.order, call.frame)
            for (file, where), call in self._calls.items()
            if call.frame is not None and file == state.code.co_filename and place is not None and _contains(place, where)
        ]
        if depth < MAX_DEPTH and inner:
            frame = max(inner, key=lambda one: one[0])[1]
            if frame is not state:
                return [made, *self._decided(frame, depth + 1)]
        return [made]

    def _step(self, state, at, tested, names, outcome):
        made = self._described(state, tested.place, names)
        if at.kind == "loop" and at.whole is not None:
            # All of its elements have been tested.
            made["kind"] = "test"
            made["outcome"] = str(made["text"].startswith("all"))
        elif at.kind == "loop":
            made["kind"] = "loop"
            made["outcome"] = "ended"
        else:
            made["kind"] = "test"
            made["outcome"] = _outcome(at, outcome, made["text"])
        return made

    def _described(self, state, place, names):
        file = state.code.co_filename
        text = self._text(file, place)
        return {
            "file": file,
            "line": place[0],
            "function": state.code.co_name[:MAX_TEXT],
            "text": " ".join(text.split())[:MAX_TEXT],
            "values": self._values(file, place, text, names),
        }

    def _values(self, file, place, text, names):
        """What the parts of a piece of code were: results of calls, then variables."""
        found = {}
        calls = sorted(
            (call.order, where, call)
            for (name, where), call in self._calls.items()
            if name == file and not call.failed and _contains(place, where)
        )
        named = [(" ".join(self._text(file, where).split())[:MAX_TEXT], call) for _order, where, call in calls]
        for name, call in named:
            # `event.get("a").get("b")` says it all.
            if not any(other.startswith(f"{name}.") for other, _call in named):
                found[name] = _shown(call.value)
        for name, value in _pure(text, names):
            found.setdefault(name, _shown(value))
        for name, value in names.items():
            if value is not self._subject and not callable(value) and type(value) not in _HIDDEN:
                found.setdefault(name[:MAX_TEXT], _shown(value))
        return [[name, value] for name, value in list(found.items())[-MAX_VALUES:]]

    def _reads(self):
        reads = sorted((call.order, file, where, call) for (file, where), call in self._calls.items() if call.is_read)
        return [
            {"file": file, "line": where[0], "text": " ".join(self._text(file, where).split())[:MAX_TEXT], "value": _shown(call.value)}
            for _order, file, where, call in reads[:MAX_READS]
            if not call.failed
        ]

    def _text(self, file, place):
        lines = self._sources.get(file)
        if lines is None:
            return ""
        if type(lines) is str:
            lines = self._sources[file] = lines.encode("utf-8", "replace").split(b"\n")
        first, column, last, end = place
        part = lines[first - 1 : last]
        if not part:
            return ""
        # From the end, so that one line can lose both ends.
        part[-1] = part[-1][:end]
        part[0] = part[0][column:]
        return b"\n".join(part).decode("utf-8", "replace")


def _variables(text):
    """The names in a piece of code, in its order."""
    try:
        return list(dict.fromkeys(node.id for node in ast.walk(ast.parse(f"({text})", mode="eval")) if isinstance(node, ast.Name)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def _contains(outer, inner):
    return outer[:2] <= inner[:2] and inner[2:] <= outer[2:]


def _outcome(at, outcome, text):
    """What the condition was, as text: the jump's name says what it jumps for."""
    if outcome.startswith("raised"):
        return outcome
    jumped = outcome == "jumped"
    if at.jumps_if in ("NONE", "NOT_NONE"):
        is_none = jumped == (at.jumps_if == "NONE")
        return str(is_none != text.endswith("is not None")) if text.endswith(" None") else "None" if is_none else "not None"
    return str(jumped == (at.jumps_if == "TRUE"))


def _pure(text, names):
    """Look-ups in plain dicts and lists that the text contains, found again without running any code of the content."""
    try:
        tree = ast.parse(f"({text})", mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        if isinstance(node, (ast.Subscript, ast.Call)):
            try:
                yield " ".join(ast.unparse(node).split())[:MAX_TEXT], _value(node, names)
            except Exception:
                continue


def _value(node, names):
    if isinstance(node, ast.Name):
        return names[node.id]
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Subscript):
        return _plain(_value(node.value, names))[_key(_value(node.slice, names))]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get" and not node.keywords:
        base = _value(node.func.value, names)
        if type(base) is dict:
            return base.get(*[_key(_value(one, names)) for one in node.args])
    raise LookupError


def _plain(value):
    if type(value) in (dict, list, tuple):
        return value
    raise LookupError


def _key(value):
    if type(value) in _SCALARS or type(value) in (dict, list):
        return value
    raise LookupError


def _shown(value):
    """A value for people, cut. The text of an object may be code of the content, which runs within the call's limit."""
    kind = type(value)
    if kind is ImmutableList:
        value = list(value._container)
    elif isinstance(value, ImmutableCaseInsensitiveDict):
        value = value._container
    if kind is str and len(value) > MAX_TEXT:
        value = value[:MAX_TEXT]
    try:
        text = repr(value)
    except Exception as error:
        text = f"<{kind.__name__[:100]}, whose text cannot be shown: {type(error).__name__[:100]}>"
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 3] + "..."

"""State of the interpreter itself that outlasts a call: a trace, a lower limit, a handler, a callback."""

import gc
import sys
import warnings
from _codecs import lookup_error
from _signal import SIGINT, getsignal
from _signal import signal as setsignal
from collections.abc import Callable, Container, Hashable, Iterable, Iterator, Mapping, Sequence, Set, Sized
from gc import get_threshold, isenabled, set_threshold
from sys import get_int_max_str_digits, getprofile, getrecursionlimit, gettrace, set_int_max_str_digits, setprofile, setrecursionlimit, settrace

_get_tool = sys.monitoring.get_tool
_free_tool = sys.monitoring.free_tool_id
_TOOLS = range(6)
_callbacks = gc.callbacks
_strict = lookup_error("strict")
_filters = warnings.filters
_PLAIN = (str, bytes, int, float, bool, list, dict, set, tuple, type(None))
_ABSTRACT = (Callable, Container, Hashable, Iterable, Iterator, Mapping, Sequence, Set, Sized)


def _kinds():
    """What the plain types count as: `Mapping.register(str)` changes it for everybody."""
    return [issubclass(plain, abstract) for plain in _PLAIN for abstract in _ABSTRACT]


class Interpreter:
    """The interpreter state to preserve."""

    __slots__ = ("limit", "digits", "streams", "handler", "threshold", "finders", "filters", "context", "kinds")

    def __init__(self):
        self.kinds = _kinds()

    def take(self):
        self.limit = getrecursionlimit()
        self.digits = get_int_max_str_digits()
        self.streams = sys.stdout, sys.stderr
        self.handler = getsignal(SIGINT)
        self.threshold = get_threshold()
        self.finders = list(sys.meta_path), list(sys.path_hooks)
        self.filters = list(_filters)
        decimal = sys.modules.get("decimal")
        self.context = decimal and (decimal, decimal.getcontext().copy())

    def changed(self):
        if getprofile() is not None:
            return "sys.setprofile"
        if gettrace() is not None:
            return "sys.settrace"
        if getrecursionlimit() < self.limit:
            return "sys.setrecursionlimit"
        if sys.stdout is not self.streams[0] or sys.stderr is not self.streams[1]:
            return "sys.stdout"
        return None if getsignal(SIGINT) is self.handler else "signal.signal"

    def changed_further(self):
        """What is less likely, after code that may have to do with it."""
        if any(map(_get_tool, _TOOLS)):
            return "sys.monitoring"
        if _callbacks:
            return "gc.callbacks"
        if get_threshold() != self.threshold or not isenabled():
            return "gc.set_threshold"
        if 0 < get_int_max_str_digits() < self.digits or (not self.digits and get_int_max_str_digits()):
            return "sys.set_int_max_str_digits"
        if sys.meta_path != self.finders[0] or sys.path_hooks != self.finders[1]:
            return "sys.meta_path"
        if lookup_error("strict") is not _strict:
            return "codecs.register_error"
        if _kinds() != self.kinds:
            return "what the classes of collections.abc hold"
        return None

    def put_back(self):
        """Silently: authors mean them for themselves, and others are not affected."""
        if _filters != self.filters:
            _filters[:] = self.filters
        if self.context:
            decimal, context = self.context
            decimal.setcontext(context.copy())

    def restore(self):
        setprofile(None)
        settrace(None)
        setrecursionlimit(self.limit)
        set_int_max_str_digits(self.digits)
        sys.stdout, sys.stderr = self.streams
        setsignal(SIGINT, self.handler)
        set_threshold(*self.threshold)
        gc.enable()
        _callbacks.clear()
        for tool in _TOOLS:
            if _get_tool(tool) is not None:
                _free_tool(tool)
        sys.meta_path[:], sys.path_hooks[:] = self.finders
        self.put_back()

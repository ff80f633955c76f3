"""Where the engine is, and how a call that takes too long is ended.

Four cells of memory are shared with the host by address. `mark[0]` names the call under way (0: none); `mark[1]` is the
call that the host found too slow when it raised the signal; `mark[2]` is the limit in milliseconds of processor time;
`mark[3]` is the call whose exception is being dealt with: it is not interrupted, but ended when that does not end. Writing a
cell costs tens of nanoseconds, so every single call of a rule's function is under the limit.
"""

import os
import signal
from array import array

mark = array("I", [0, 0, 0, 0])
ADDRESS = mark.buffer_info()[0]

# A mark is (event * rules + rule) * FUNCTIONS + function; the loader's marks start far above.
FUNCTIONS = 16
LOADING = 0xF0000000


class RuleTimeout(BaseException):
    """A call took longer than it may. Not an Exception, so that `except Exception` in a rule does not eat it."""


# Marks of interrupted calls, until their caller has seen it: a call that continues or returns is too slow, too.
stopped = []


def _interrupt(_number, _frame):
    # The signal may arrive after the slow call has ended: then there is nothing left to interrupt.
    if mark[0] and mark[0] == mark[1]:
        stopped.append(mark[0])
        raise RuleTimeout(f"took longer than {mark[2]} ms of processor time")


def announce():
    """In careful mode, before a call: the host reads the mark now, so that it knows who ended the process."""
    os.write(1, b".")


is_careful = False


def announce_loading():
    """Before something is imported."""
    if is_careful:
        announce()


def announced(function):
    """The function with an announcement before each call."""

    def call(event):
        announce()
        return function(event)

    return call


def install():
    signal.signal(signal.SIGINT, _interrupt)

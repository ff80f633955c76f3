"""Compiled code, so that a child need not compile again what another one has compiled.

Compiling is a request of its own, answered before any rule has run: no rule can put code in another one's place.
"""

import binascii
import marshal

from _caracal.limits import LOADING, mark
from _caracal.shipped import HELPER_CODE

# (file, source) -> base64 of the marshalled code.
_known = {}


def compile_all(sources):
    """For each [file, source] the compiled code as text, or None when it cannot be compiled (loading tells why)."""
    compiled = []
    for number, (file, source) in enumerate(sources):
        # Under the time limit like everything else.
        mark[0] = LOADING + number
        try:
            code = compile(source, file, "exec")
            compiled.append(binascii.b2a_base64(marshal.dumps(code), newline=False).decode())
        except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
            compiled.append(None)
    mark[0] = 0
    return compiled


def remember(sources, compiled):
    """The results of `compile_all` for the sources, from this or an earlier process."""
    _known.clear()
    _known.update((tuple(source), text) for source, text in zip(sources, compiled) if text is not None)


def code_of(file, source):
    """The code of a source. Raises what `compile` raises."""
    ready = HELPER_CODE.get((file, source))
    if ready is not None:
        return ready
    text = _known.pop((file, source), None)
    return compile(source, file, "exec") if text is None else marshal.loads(binascii.a2b_base64(text))

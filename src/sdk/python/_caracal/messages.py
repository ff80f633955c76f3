"""Error texts for people: what was raised, and where in the user's own files."""

from _caracal.limits import RuleTimeout

_MAX = 2000
# Of a function or a class, whose names have no limit.
_MAX_NAME = 200


def _user_frame(traceback, files):
    """The innermost frame in a user's file."""
    found = None
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename in files:
            found = traceback
        traceback = traceback.tb_next
    return found


def cut_name(name):
    return name if len(name) <= _MAX_NAME else name[: _MAX_NAME - 15] + "... (truncated)"


def describe(error):
    """`KeyError: 'x'`, whatever the exception's own methods do."""
    try:
        text = str(error)
    except BaseException:
        text = "(its text cannot be made)"
    name = "Timeout" if isinstance(error, RuleTimeout) else type(error).__name__
    full = f"{name}: {text}" if text else name
    return full if len(full) <= _MAX else full[: _MAX - 15] + "... (truncated)"


def safe_repr(error):
    """repr(), which may be the rule's own code, within a limit."""
    try:
        text = repr(error)
    except BaseException:
        text = f"{type(error).__name__}(its text cannot be made)"
    return text if len(text) <= _MAX else text[: _MAX - 15] + "... (truncated)"


def place_of(error, files):
    """`rules/x.py:12 in rule`, or None when no user's line was reached."""
    frame = _user_frame(error.__traceback__, files)
    return frame and f"{frame.tb_frame.f_code.co_filename}:{frame.tb_lineno} in {cut_name(frame.tb_frame.f_code.co_name)}"


def locate(error, files, fallback):
    """`rules/x.py:12 in rule: KeyError: 'x'`."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno or 1}: {type(error).__name__}: {error.msg}"[:_MAX]
    frame = _user_frame(error.__traceback__, files)
    if frame is None:
        return f"{fallback}: {describe(error)}"
    code = frame.tb_frame.f_code
    return f"{code.co_filename}:{frame.tb_lineno} in {cut_name(code.co_name)}: {describe(error)}"

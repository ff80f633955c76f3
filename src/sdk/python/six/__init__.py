"""What code for both Python 2 and 3 imports: a stand-in for the package of this name, where Python is always 3."""

import builtins
import functools
import io
import operator

PY2 = False
PY3 = PY34 = True
string_types = (str,)
integer_types = (int,)
class_types = (type,)
text_type = str
binary_type = bytes
unichr = chr
MAXSIZE = (1 << 63) - 1
StringIO = io.StringIO
BytesIO = io.BytesIO
int2byte = operator.methodcaller("to_bytes", 1, "big")
byte2int = operator.itemgetter(0)
indexbytes = operator.getitem
iterbytes = iter
wraps = functools.wraps
print_ = builtins.print
exec_ = builtins.exec
next = advance_iterator = builtins.next
callable = builtins.callable
get_method_function = operator.attrgetter("__func__")
get_method_self = operator.attrgetter("__self__")
get_function_code = operator.attrgetter("__code__")
get_function_defaults = operator.attrgetter("__defaults__")
get_function_globals = operator.attrgetter("__globals__")


def iteritems(mapping, **options):
    return iter(mapping.items(**options))


def iterkeys(mapping, **options):
    return iter(mapping.keys(**options))


def itervalues(mapping, **options):
    return iter(mapping.values(**options))


def iterlists(mapping, **options):
    return iter(mapping.lists(**options))


viewitems = operator.methodcaller("items")
viewkeys = operator.methodcaller("keys")
viewvalues = operator.methodcaller("values")


def b(text):
    """The bytes of a Latin-1 text."""
    return text.encode("latin-1")


def u(text):
    return text


def ensure_binary(value, encoding="utf-8", errors="strict"):
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode(encoding, errors)
    raise TypeError(f"not expecting type '{type(value)}'")


def ensure_str(value, encoding="utf-8", errors="strict"):
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode(encoding, errors)
    raise TypeError(f"not expecting type '{type(value)}'")


ensure_text = ensure_str


def raise_from(value, from_value):
    raise value from from_value


def reraise(_kind, value, traceback=None):
    raise value.with_traceback(traceback)


def with_metaclass(meta, *bases):
    """A base that creates a class with this metaclass, without becoming one of its bases."""
    return _WithMetaclass(meta, bases)


class _WithMetaclass:
    def __init__(self, meta, bases):
        self._meta, self._bases = meta, bases

    def __mro_entries__(self, _bases):
        return (self._meta("temporary", self._bases or (object,), {}),)


def add_metaclass(metaclass):
    """A decorator that recreates the class with this metaclass."""

    def wrapper(cls):
        names = {name: value for name, value in vars(cls).items() if name not in ("__dict__", "__weakref__")}
        return metaclass(cls.__name__, cls.__bases__, names)

    return wrapper


def python_2_unicode_compatible(cls):
    return cls

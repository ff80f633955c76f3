"""Modules and functions that Python 3 has under other names."""

import collections
import configparser
import functools
import io
import itertools
import pickle as cPickle
import queue
import shlex
from builtins import chr as unichr
from builtins import filter, input, map, range, zip

from six.moves import urllib

UserDict, UserList, UserString = collections.UserDict, collections.UserList, collections.UserString
StringIO = cStringIO = io.StringIO
reduce = functools.reduce
filterfalse, zip_longest = itertools.filterfalse, itertools.zip_longest
shlex_quote = shlex.quote
xrange = range
urllib_parse = urllib.parse

__all__ = ["StringIO", "UserDict", "UserList", "UserString", "cPickle", "cStringIO", "configparser", "filter", "filterfalse"]
__all__ += ["input", "map", "queue", "range", "reduce", "shlex_quote", "unichr", "urllib", "urllib_parse", "xrange"]
__all__ += ["zip", "zip_longest"]

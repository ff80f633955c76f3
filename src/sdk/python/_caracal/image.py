"""
What rules import: loaded once, before the snapshot is taken, so that it is in every child from the start and no rule pays for it.
"""

import importlib
import sys

from _caracal import shipped

# Of the standard library: what public rules import and what ordinary authors do, with the submodules that they name.
STANDARD = """
abc argparse array ast asyncio base64 binascii bisect calendar cmath codecs collections collections.abc colorsys configparser
contextlib contextvars copy copyreg csv dataclasses datetime decimal difflib dis email email.header email.message email.parser
email.policy email.utils encodings.ascii encodings.cp1252 encodings.idna
encodings.latin_1 encodings.punycode encodings.unicode_escape encodings.utf_16 encodings.utf_16_le encodings.utf_8_sig enum errno fnmatch fractions functools gc getpass glob graphlib gzip
hashlib heapq hmac html html.entities html.parser http http.client http.cookies importlib importlib.util inspect io ipaddress
itertools json keyword linecache locale logging math mimetypes numbers operator os os.path pathlib pickle platform plistlib
posixpath pprint queue quopri random re reprlib secrets shlex shutil signal socket statistics string string.templatelib
stringprep struct subprocess sys tempfile textwrap threading time timeit token tokenize tomllib traceback types typing
unicodedata unittest unittest.mock urllib urllib.error urllib.parse urllib.request urllib.robotparser uuid warnings weakref
xml xml.dom xml.dom.minidom xml.etree xml.etree.ElementTree xml.sax xml.sax.saxutils zipfile zlib zoneinfo _strptime
""".split()


def load():
    """Imports all of it, and compiles the helpers, which each content root runs for itself."""
    for name in STANDARD:
        try:
            importlib.import_module(name)
        except ImportError:
            # Not a part of this build of Python.
            if name.partition(".")[0] not in sys.stdlib_module_names:
                raise
    for name in sorted(shipped.SOURCES):
        if name.startswith("panther_") and name in shipped.helper_sources():
            shipped.compile_helper(name)
        elif name.partition(".")[0] != "_caracal":
            importlib.import_module(name)

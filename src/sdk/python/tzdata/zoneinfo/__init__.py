"""The zones as the files that `zoneinfo` asks for."""

import io
import struct
import sys
import types
from importlib.machinery import ModuleSpec

_AREAS = (
    "Africa America America.Argentina America.Indiana America.Kentucky America.North_Dakota Antarctica Arctic Asia Atlantic "
    "Australia Brazil Canada Chile Etc Europe Indian Mexico Pacific US"
).split()
_UTC = frozenset(("UTC", "UCT", "GMT", "GMT0", "GMT+0", "GMT-0", "Greenwich", "Universal", "Zulu"))


def _file(name):
    """One type of time, without changes. https://www.rfc-editor.org/rfc/rfc8536"""
    begin = b"TZif2" + bytes(15)
    name = name.encode() + b"\0"
    body = struct.pack(">6l", 0, 0, 0, 0, 1, len(name)) + struct.pack(">lbb", 0, 0, 0) + name
    return begin + body + begin + body + b"\n" + name[:-1] + b"0\n"


class _Zone:
    def __init__(self, area, name):
        self._area = area
        self._name = name

    def is_dir(self):
        return False

    def open(self, _mode="r", **_options):
        if self._area in ("", "Etc") and self._name in _UTC:
            return io.BytesIO(_file("GMT" if "G" in self._name else "UTC"))
        from zoneinfo import ZoneInfoNotFoundError

        name = "/".join(filter(None, (self._area.replace(".", "/"), self._name)))
        raise ZoneInfoNotFoundError(
            f"the rules of the time zone '{name}' are not available to rules: "
            "use UTC or an offset, such as timezone(timedelta(hours=-5))"
        )


class _Area:
    def __init__(self, area):
        self._area = area

    def joinpath(self, name):
        return _Zone(self._area, name)

    __truediv__ = joinpath

    def is_dir(self):
        return True


class _Loader:
    """Has the zones of one area as resources."""

    def __init__(self, area):
        self._area = area

    def get_resource_reader(self, _name):
        return self

    def files(self):
        return _Area(self._area)


def _add(area):
    name = f"{__name__}.{area}"
    module = types.ModuleType(name)
    module.__spec__ = ModuleSpec(name, _Loader(area), is_package=True)
    module.__path__ = []
    sys.modules[name] = module


__spec__.loader = _Loader("")
for _area in _AREAS:
    _add(_area)

"""Names by which code comes to what is not its own. A rule whose code has one is judged apart from the others, and checked after."""

from panther_core import data_model, enriched_event, immutable, json_path

_REACHING = frozenset(
    "_abc _imp _signal builtins callbacks currentframe data_model delattr eval exec gc getcontext globals importlib inspect locals monitoring patch "
    "register register_error setattr setcontext set_int_max_str_digits sys vars walk_stack walk_tb".split()
)
_FRAMES = frozenset(
    "ag_frame cr_frame f_back f_builtins f_code f_globals f_lineno f_locals f_trace gi_frame tb_frame tb_lasti tb_next".split()
)

# A class or a module has these without reaching for anything.
_PLAIN = frozenset(
    "__all__ __annotate__ __annotations__ __author__ __bool__ __call__ __classcell__ __classdict__ __conditional_annotations__ "
    "__contains__ __doc__ __enter__ __eq__ __exit__ __file__ __firstlineno__ __future__ __ge__ __getitem__ __gt__ __hash__ __iter__ "
    "__le__ __len__ __lt__ __main__ __match_args__ __module__ __name__ __ne__ __next__ __qualname__ __repr__ __static_attributes__ "
    "__str__ __version__".split()
)


def _private_names(*modules):
    """Names that begin with an underscore, of modules and of the classes in them."""
    for module in modules:
        for name, value in vars(module).items():
            yield name
            if isinstance(value, type):
                yield from vars(value)


_PRIVATE = frozenset(
    name for name in _private_names(data_model, enriched_event, immutable, json_path) if name[:1] == "_" and name[:2] != "__"
)


def _is_inner(name):
    return name in _FRAMES or name in _PRIVATE or (name[:2] == "__" and name[-2:] == "__" and name not in _PLAIN)


def reaches(names, texts):
    """`texts`: the code's string constants, with which `getattr` and patterns name things."""
    return not _REACHING.isdisjoint(names) or any(map(_is_inner, names)) or any(map(_is_inner, texts))

"""The loaded content: rules, and data models by log type."""

import gc
import os
import sys

from panther_core.data_model import BrokenDataModel, DataModel
from panther_core.immutable import plain

from _caracal import cache, limits, testing
from _caracal.code import code_of
from _caracal.functions import ORDER
from _caracal.limits import LOADING, RuleTimeout, mark, stopped
from _caracal.loader import HelperFinder, Places
from _caracal.messages import locate
from _caracal.others import Others
from _caracal.shared import Shared


class Rule:
    """A loaded rule: its functions, and what messages need."""

    def __init__(self, spec, module, files, suspicion):
        # How closely to check whether it has changed shared objects.
        self.suspicion = suspicion
        self.id = spec["id"]
        self.kind = spec["kind"]
        self.file = spec["file"]
        self.files = files
        self.module = module
        functions = vars(module)
        # Of a policy: `policy`, which alerts when it answers False.
        self.main = "policy" if self.kind == "policy" else "rule"
        main = functions.get(self.main)
        if not callable(main):
            raise AttributeError(f"detection needs to have a method named '{self.main}'")
        code = getattr(main, "__code__", None)
        self.line = code.co_firstlineno if code else 1
        others = [(place, name, functions[name]) for place, name in enumerate(ORDER, 1) if callable(functions.get(name))]
        if self.kind == "policy":
            self.rule = _alerting(main)
            self.functions = [(place, name, _on_plain(function)) for place, name, function in others]
        else:
            self.rule = main
            self.functions = others
        self.functions = tuple(self.functions)


def _alerting(policy):
    """A policy as a rule: it gets its own plain dict, and False becomes True."""

    def rule(event):
        answer = policy(plain(event._container))
        return not answer if answer is True or answer is False else answer

    return rule


def _on_plain(function):
    return lambda event: function(plain(event._container))


class CarefulRule:
    """A rule whose every call is announced to the host."""

    def __init__(self, rule):
        self.id, self.main, self.file, self.files, self.line = rule.id, rule.main, rule.file, rule.files, rule.line
        self.suspicion = rule.suspicion
        self.module = rule.module
        self.rule = limits.announced(rule.rule)
        self.functions = [(place, name, limits.announced(function)) for place, name, function in rule.functions]


class Content:
    """Everything of one load, and what went wrong in it: (number of the rule or data model, cause, message)."""

    def __init__(self, spec):
        self.rules = {}
        self.models = {}
        self.errors = []
        self._spec = spec
        self._others = None
        sources = spec["sources"]
        for kind in ("helpers", "rules", "dataModels"):
            for item in spec[kind]:
                item["codeFile"], item["code"] = (None, None) if item["source"] is None else sources[item["source"]]
        limits.is_careful = spec["careful"]
        sys.stdout = sys.stderr = testing.Nowhere()
        self.shared = Shared()
        self._places = Places(spec["helpers"], len(spec["rules"]) + len(spec["dataModels"]), self.shared, spec["watch"] == "each")
        sys.meta_path.append(HelperFinder(self._places))
        self.shared.settle()
        self._files = {file for file, _source in sources}
        # For explanations, which show the code.
        self.sources = dict(sources) if spec["traces"] else {}
        for number, item in enumerate(spec["rules"]):
            rule = self._attempt(number, item, self._load_rule)
            if rule is not None:
                self.rules[item["id"]] = rule
        for number, item in enumerate(spec["dataModels"], len(spec["rules"])):
            model = self._attempt(number, item, self._load_model)
            if model is None:
                reported = self.errors[-1][2] if self.errors and self.errors[-1][0] == number else "it cannot be loaded"
                model = BrokenDataModel(item["id"], reported)
            for log_type in item["logTypes"]:
                self.models[log_type] = model
        mark[0] = 0
        # Shared state that an import has changed.
        self.changed = self.shared.changed(thoroughly=True) if spec["watch"] == "end" else None
        if self.changed is not None:
            self.shared.restore()
        self.shared.settle()
        self.by_log_type = {log_type: [self.rules.get(id) for id in ids] for log_type, ids in spec["logTypes"].items()}

    def _attempt(self, number, item, load):
        """`number` counts rules, then data models (then helpers): the host names by it what must not be loaded."""
        if number in self._spec["skip"]:
            return None
        mark[0] = LOADING + number
        limits.announce_loading()
        try:
            loaded = load(item)
            cache.table().check_changes()
            if self._spec["careful"]:
                # What it has left behind to be cleared away is its own.
                gc.collect(0)
            if stopped:
                raise RuleTimeout("took too long to import and was interrupted")
            changed = self.shared.changed(thoroughly=True) if self._spec["watch"] == "each" else None
            if changed is None:
                return loaded
            self.shared.restore()
            self.errors.append([number, "tampering", f"{item['file']}: importing it changed {changed}, which all rules share"])
        except BaseException as error:
            mark[0] = 0
            cause = "timeout" if isinstance(error, RuleTimeout) or stopped else "import"
            stopped.clear()
            self.errors.append([number, cause, locate(error, self._files, item["file"])])
        return None

    def others(self):
        """The rules and models as a suspect must leave them; built once there is a suspect."""
        if self._others is None:
            tables = self.rules, self.models, self.by_log_type, *self.by_log_type.values()
            self._others = Others(self.rules.values(), dict.fromkeys(self.models.values()), tables)
            self._others.take()
        return self._others

    def broken_helpers(self):
        return self._places.broken()

    def _load_rule(self, item):
        place = self._places.of(item["root"], item["folder"])
        code = code_of(item["file"], item["code"])
        module = place.execute(item["id"], item["file"], item["code"], code=code)
        return Rule(item, module, self._files, self.shared.suspicion(code))

    def _load_model(self, item):
        functions = {}
        if item["code"] is not None:
            place = self._places.of(item["root"], item["folder"])
            functions = vars(place.execute(os.path.basename(item["file"]), item["codeFile"], item["code"]))
        methods = {}
        for name, method in item["methods"]:
            if not callable(functions.get(method)):
                raise AttributeError(f"DataModel is missing method named [{method}]")
            methods[name] = functions[method]
        return DataModel(item["id"], item["paths"], methods)

"""From the source of a Python rule: a condition that every event meets for which it answers True.

Nothing of the content is run. What the condition leaves out: exceptions and wrong types (`mayRaise` tells which rules can
have them). Events that would make the rule leave a trace (the cache, its own global names) meet the condition too.
"""

import json

from panther_core.json_path import parse as parse_path

from _caracal.necessary_formula import FALSE, TRUE, both, either, to_json
from _caracal.necessary_library import Library, traits_of
from _caracal.necessary_ask import ask
from _caracal.necessary_values import Event
from _caracal.necessary_state import Frame, Function, TooMuch, can_be_followed, is_boolean
from _caracal.necessary_walk import Walk

_ALWAYS = (to_json(TRUE), True, None)


class Necessary:
    """Conditions of all rules of a content (`NecessaryContent` of protocol.ts). `shipped`: module name -> source."""

    def __init__(self, content, shipped):
        sources = content["sources"]
        helpers, rules, models = (
            [{**item, "code": None if item["source"] is None else sources[item["source"]][1]} for item in content[kind]]
            for kind in ("helpers", "rules", "dataModels")
        )
        self._rules = {rule["id"]: rule for rule in rules}
        self._library = Library(helpers, rules, models, shipped, content["elsewhere"])
        self._shared = [self._library.modules[id(model)] for model in models if model["code"] is not None]
        self._models = {}
        for model in models:
            for log_type in model["logTypes"]:
                self._models[log_type] = model
        self._read = {}
        self._log_types = content["logTypes"]

    def of(self, rule_id, log_type):
        """(condition as JSON text, may the rule raise or answer something other than a boolean, what went wrong here or None)."""
        rule = self._rules[rule_id]
        try:
            return self._of(rule, self._model(log_type) if rule["kind"] == "rule" else None)
        except (TooMuch, RecursionError):
            return _ALWAYS
        except Exception as error:
            # A bug in the analyser, not in the rule: it sees every event, and the bug is reported.
            return to_json(TRUE), True, f"{rule['file']}: {type(error).__name__}: {error}"[:500]

    def _of(self, rule, model):
        module = self._library.modules[id(rule)]
        is_policy = rule["kind"] == "policy"
        name = "policy" if is_policy else "rule"
        if module.uses_reflection or not module.is_fixed(name):
            return _ALWAYS
        walk = Walk(self._library, module, model)
        function = walk.of_module(module, name)
        if not isinstance(function, Function) or not can_be_followed(function.node):
            return _ALWAYS
        node = function.node
        names = walk.bind(function, [Event(exact=is_policy)], {})
        if names is None or node.args.vararg:
            return _ALWAYS
        walk.frame = frame = Frame(function.module, node, True)
        walk.active.append(node)
        after = walk.block(node.body, [(TRUE, names)])
        condition = self._answers(walk, frame, is_policy)
        if after or not all(is_boolean(value) for _, value, _ in frame.returns):
            walk.may_raise = True
        return to_json(condition), walk.may_raise, None

    def _answers(self, walk, frame, is_policy):
        found = list(walk.effects)
        ways = []
        for condition, value, names in frame.returns:
            wanted = both(condition, ask(value, "truthy")[1 if is_policy else 0])
            if wanted == FALSE:
                continue
            ways.append(wanted)
            # Values that title() and the others read must have been written for this very event.
            walk.stale.update(name for name in walk.writes if ("global", name) not in names)
        for name in walk.stale:
            found.extend(walk.writes.get(name, ()))
        return either(*ways, *found)

    def _model(self, log_type):
        model = self._models.get(log_type)
        if model is None:
            return None
        if id(model) not in self._read:
            self._read[id(model)] = self._read_model(model)
        return self._read[id(model)]

    def _read_model(self, model):
        paths = {}
        for name, text in model["paths"]:
            try:
                steps = parse_path(text)
            except ValueError:
                steps = ()
            paths[name] = steps if steps and all(type(step) is str for step in steps) else None
        module = self._library.modules.get(id(model))
        # Without its code the model cannot be loaded: every use by a rule raises.
        methods = dict(model["methods"]) if module is not None else {}
        return {"paths": paths, "methods": methods, "module": module}

    def traits(self):
        """Properties of unreachable sources that affect a rule's result: of helpers and models together, and of each rule."""
        own = {rule_id: self._library.modules[id(rule)] for rule_id, rule in self._rules.items()}
        return {
            "shared": traits_of([*self._library.helpers(), *self._shared]),
            "rules": {rule_id: traits_of([module]) for rule_id, module in own.items()},
        }

    def all(self):
        """[(log type, rule id, condition, may raise, problem)] of all rules."""
        kept = {}
        for log_type, ids in self._log_types.items():
            for rule_id in ids:
                key = (rule_id, id(self._models.get(log_type)))
                if key not in kept:
                    kept[key] = self.of(rule_id, log_type)
                yield (log_type, rule_id, *kept[key])


def necessary(content_json, shipped):
    """Lines of JSON for `NecessaryContent` as JSON text: the traits, then a [log type, rule id, condition, may raise, problem] each."""
    reading = Necessary(json.loads(content_json), shipped)
    found = reading.all()
    rows = (
        "[%s,%s,%s,%s,%s]" % (json.dumps(log_type), json.dumps(rule_id), condition, json.dumps(may_raise), json.dumps(problem))
        for log_type, rule_id, condition, may_raise, problem in found
    )
    return "\n".join([json.dumps(reading.traits()), *rows])

/** Ways for a rule to change another rule's result. Each is a rule's body; `frames()` returns the frames of its callers. */
export interface Way {
  readonly way: string
  readonly body: string
  /**
   * `noticed`: the rule is left out, and the batch is judged again without it. `harmless`: nobody else is affected.
   * `documented`: neither; `docs/sandbox.md` says so.
   */
  readonly outcome: 'noticed' | 'harmless' | 'documented'
  /** For `noticed`: the changed object that the error names. */
  readonly what?: RegExp
}

export const PRELUDE = `
import collections.abc, decimal, gc, re, string, sys, urllib.parse, warnings
from panther_core import enriched_event

def frames():
    try:
        raise ValueError
    except ValueError as error:
        frame = error.__traceback__.tb_frame.f_back
    while frame is not None:
        yield frame
        frame = frame.f_back

def found(name):
    return next(frame.f_locals[name] for frame in frames() if name in frame.f_locals)

def named(name):
    return next(frame.f_globals[name] for frame in frames() if name in frame.f_globals)
`

export const WAYS: readonly Way[] = [
  {
    way: 'findings of others, by the frames of a traceback',
    body: "found('rows').append([0, 0, 'exception', 'forged'])",
    outcome: 'noticed',
    what: /findings/,
  },
  {
    way: 'findings taken away, by sys._getframe',
    body: "frame = sys._getframe()\nwhile frame:\n    frame.f_locals.get('rows', []).clear()\n    frame = frame.f_back",
    outcome: 'harmless',
  },
  { way: 'the fields of an event', body: "event._container['n'] = 2", outcome: 'harmless' },
  { way: 'an event initialised again', body: "event.__init__({'n': 2})", outcome: 'harmless' },
  { way: 'an attribute of an event', body: 'event._lower = {}; event._container = {}', outcome: 'harmless' },
  {
    way: 'lists and events of a batch, by the collector',
    body: 'for o in gc.get_objects():\n    if type(o) is type(event): o._container.clear()\n    elif type(o) is list and o and type(o[0]) in (list, type(event)): o.clear()',
    outcome: 'harmless',
  },
  {
    way: 'the checks of what functions return',
    body: "named('CHECKS')['title'] = lambda *_: 'forged'",
    outcome: 'noticed',
    what: /CHECKS/,
  },
  {
    way: 'a name of the engine',
    body: "next(f for f in frames() if 'CHECKS' in f.f_globals).f_globals['FUNCTIONS_WITH_TEXT'] = ()",
    outcome: 'noticed',
    what: /FUNCTIONS_WITH_TEXT/,
  },
  {
    way: 'a monitor',
    body: "sys.monitoring.use_tool_id(3, 'x'); sys.monitoring.set_events(3, sys.monitoring.events.PY_START)",
    outcome: 'noticed',
    what: /sys\.monitoring/,
  },
  { way: 'what the collector calls', body: 'gc.callbacks.append(lambda *_: None)', outcome: 'noticed', what: /gc\.callbacks/ },
  { way: 'the collector itself', body: 'gc.disable()', outcome: 'noticed', what: /gc\./ },
  {
    way: 'the watch, blinded by its class',
    body: "type(found('shared')).changed = lambda *_, **__: None",
    outcome: 'noticed',
    what: /change detection/,
  },
  {
    way: 'the watch, blinded by its lists',
    body: "shared = found('shared'); shared._code.clear(); shared._items.clear(); shared._names.clear(); shared._settle()",
    outcome: 'noticed',
    what: /change detection/,
  },
  { way: 'the watch, shut off as an object', body: "found('shared').changed = lambda *_, **__: None", outcome: 'harmless' },
  {
    way: 'the function of another rule',
    body: "found('rules')[0].rule = lambda event: False",
    outcome: 'noticed',
    what: /functions of the rule Before/,
  },
  {
    way: 'the code of another rule',
    body: "found('rules')[0].rule.__code__ = (lambda event: False).__code__",
    outcome: 'noticed',
    what: /code of/,
  },
  {
    way: 'a name of another rule',
    body: "vars(found('rules')[0].module)['WANTED'] = 2",
    outcome: 'noticed',
    what: /names of the rule Before/,
  },
  {
    way: 'a list of another rule',
    body: "vars(found('rules')[0].module)['ALLOWED'].clear()",
    outcome: 'noticed',
    what: /ALLOWED of the rule Before/,
  },
  { way: 'the list of rules', body: "named('_content').by_log_type.clear()", outcome: 'noticed', what: /list of rules/ },
  {
    way: 'what a plain type counts as',
    body: 'collections.abc.Mapping.register(str)',
    outcome: 'noticed',
    what: /collections\.abc/,
  },
  { way: 'a constant of Python', body: "string.digits = ''", outcome: 'noticed', what: /string\.digits/ },
  { way: 'a list of Python', body: 'urllib.parse.uses_netloc.clear()', outcome: 'noticed', what: /uses_netloc/ },
  { way: 'a limit for long numbers', body: 'sys.set_int_max_str_digits(700)', outcome: 'noticed', what: /digits/ },
  { way: 'who finds modules', body: 'sys.meta_path.clear()', outcome: 'noticed', what: /meta_path/ },
  { way: 'what the engine remembers of events', body: "enriched_event._shapes[('n',)] = {'n': 'x'}", outcome: 'harmless' },
  { way: 'how decimals are rounded', body: 'decimal.getcontext().prec = 1', outcome: 'harmless' },
  { way: 'warnings as errors', body: "warnings.simplefilter('error')", outcome: 'harmless' },
  { way: 'the time limit', body: "named('mark')[2] = 0", outcome: 'harmless' },
  {
    way: 'the fields of an event, by a name that only shows as it runs',
    body: "getattr(event, '_'.join(['', 'container']))['n'] = 2",
    outcome: 'documented',
  },
  {
    way: 'what Python remembers of patterns',
    body: "re.compile('1'); re._cache[str, '1', 0] = re.compile('2')",
    outcome: 'documented',
  },
]

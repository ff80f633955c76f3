import type { JsonObject } from '../../../../model/json.ts'

/** A construct in rules: its code, events that the prefilter must let through, and events that it must hold back. */
export interface Construct {
  readonly name: string
  readonly code: string
  /** Whatever the rule returns. */
  readonly shown: readonly JsonObject[]
  /** None if the construct is not understood, or nothing is certain. */
  readonly kept?: readonly JsonObject[]
}

const rule = (body: string, before = '') => `${before}\ndef rule(event):\n    ${body.replaceAll('\n', '\n    ')}\n`

/** All soundness rules and all constructs that are understood. */
export const CONSTRUCTS: readonly Construct[] = [
  {
    name: 'a field equal to a constant, in any case of its name',
    code: rule("return event.get('name') == 'x'"),
    shown: [{ name: 'x' }, { NAME: 'x' }, { Name: 'x', nAME: 'y' }],
    kept: [{ name: 'y' }, {}, { name: ['x'] }, { name: 'y', NAME: 'x' }],
  },
  {
    name: 'a default that satisfies the test',
    code: rule("return event.get('name', 'x') == 'x'"),
    shown: [{}, { name: 'x' }],
    kept: [{ name: null }, { name: 'y' }],
  },
  {
    name: 'deep_get takes its default for null and for a list on the way',
    code: rule("return event.deep_get('a', 'b', default='x') == 'x'"),
    shown: [{}, { a: null }, { a: { b: null } }, { a: [1] }, { A: { B: 'x' } }],
    kept: [{ a: { b: 'y' } }],
  },
  {
    name: 'a helper that follows keys, as a reduction, by whatever names',
    code: rule(
      "return dig(event, 'a', 'b', default='x') == 'x'",
      `from collections.abc import Mapping
from functools import reduce

def dig(top, *steps, default=None):
    found = reduce(lambda here, step: here.get(step, default) if isinstance(here, Mapping) else default, steps, top)
    if found is None:
        return default
    return found
`,
    ),
    shown: [{}, { a: null }, { a: { b: null } }, { a: [1] }, { A: { B: 'x' } }],
    kept: [{ a: { b: 'y' } }],
  },
  {
    name: 'a helper that looks like it and answers something else for null',
    code: rule(
      "return dig(event, 'a', 'b', default='x') == 'other'",
      `from collections.abc import Mapping

def dig(top, *steps, default=None):
    found = top
    for step in steps:
        found = found.get(step, default) if isinstance(found, Mapping) else default
    return 'other' if found is None else found
`,
    ),
    shown: [{ a: { b: null } }, { a: { b: 'other' } }],
  },
  {
    name: 'a helper that looks like it while another get is asked',
    code: rule(
      "return dig(event, 'a', default='x') == 'found'",
      `class Mapping(type):
    def __instancecheck__(self, value):
        return False
Mapping = Mapping('M', (), {})

def dig(top, *steps, default=None):
    found = top
    for step in steps:
        found = found.get(step, default) if isinstance(found, Mapping) else default
    return 'found' if found == 'x' else found
`,
    ),
    shown: [{ a: 'y' }, {}],
  },
  {
    name: 'numbers and truths are equal by value',
    code: rule("return event.get('n') == 1 or event.get('n') in {7, 'seven'}"),
    shown: [{ n: 1 }, { n: true }, { n: 7 }, { n: 'seven' }],
    kept: [{ n: '1' }, { n: 2 }, { n: false }],
  },
  {
    name: 'is True and is not None',
    code: rule("return event.get('a') is True and event.get('b') is not None"),
    shown: [{ a: true, b: 0 }],
    kept: [{ a: true }, { a: 'true', b: 1 }, { b: 1 }],
  },
  {
    name: 'in: a part of a text, an element of a list, a key of an object',
    code: rule("return 'root' in event.get('who', '')"),
    shown: [{ who: 'the root user' }, { who: ['a', 'root'] }, { who: { ROOT: 1 } }],
    kept: [{ who: ['the root user'] }, {}, { who: 'ROOT' }],
  },
  {
    name: 'in a constant text',
    code: rule("return event.get('who', '-') in 'root admin'"),
    shown: [{ who: 'root' }, { who: '' }, { who: 'min' }],
    kept: [{}],
  },
  {
    name: 'lower and upper, also of letters whose upper case is ASCII',
    code: rule("return event.get('a', '').lower() == 'kiss' or event.get('a', '').upper() in ('SKIFF', 'BLOCK')"),
    shown: [{ a: 'KISS' }, { a: 'skiff' }, { a: 'ſkiﬀ' }, { a: 'Kiss' }, { a: 'skıff' }, { a: 'block' }],
    kept: [{ a: 'other' }, {}],
  },
  {
    name: 'startswith, endswith, strip and split',
    code: rule(
      "a = event.get('a', '')\nreturn a.startswith(('x', 'y')) or a.endswith('!') or a.strip() == 'in' or a.split('/')[-1] == 'last'",
    ),
    shown: [{ a: 'xylophone' }, { a: 'stop!' }, { a: ' in ' }, { a: 'a/last' }],
    kept: [{ a: 'zebra' }, {}],
  },
  {
    name: 'str() prints numbers, truths and null',
    code: rule("return str(event.get('a')) in ('531', 'True', 'None', '1.5')"),
    shown: [{ a: 531 }, { a: '531' }, { a: true }, { a: null }, {}, { a: 1.5 }],
    kept: [{ a: 532 }, { a: 'true' }, { a: false }],
  },
  {
    name: 'early exits and helper functions',
    code: rule(
      "if not succeeded(event):\n    return False\nif event.get('a') != 'x':\n    return False\nreturn other(event)",
      "def succeeded(e):\n    return not (e.get('error') or e.get('message'))\ndef other(e):\n    return len(e.get('b')) > 3\n",
    ),
    shown: [
      { a: 'x', b: 'four' },
      { a: 'x', error: 0 },
    ],
    kept: [{ a: 'y' }, { a: 'x', error: 'E' }],
  },
  {
    name: 'helpers of another module, and constants of theirs',
    code: `from names import WANTED, is_wanted\nimport names as n\n${rule("return is_wanted(event) or event.get('b') in n.WANTED")}`,
    shown: [{ a: 'x' }, { b: 'y' }],
    kept: [{ a: 'z' }, { b: 'z' }],
  },
  {
    name: 'a constant that somebody changes is none',
    code: rule("WANTED.append('y')\nreturn event.get('a') in WANTED", "WANTED = ['x']"),
    shown: [{ a: 'x' }, { a: 'y' }, { a: 'z' }],
  },
  {
    name: 'a global name that is assigned is no constant',
    code: rule("global WANTED\nif event.get('set'):\n    WANTED = 'y'\nreturn event.get('a') == WANTED", "WANTED = 'x'"),
    shown: [{ a: 'x' }, { a: 'y' }, { set: 1 }],
  },
  {
    name: 'a constant that another function changes is none',
    code: rule(
      "return event.get('a') in WANTED",
      "WANTED = ['x']\ndef add(to):\n    to.append('y')\ndef title(event):\n    add(WANTED)\n    return 't'\n",
    ),
    shown: [{ a: 'x' }, { a: 'y' }],
  },
  {
    name: 'only what is asked before a write to the cache counts',
    code:
      'from panther_detection_helpers.caching import put_string_set\n' +
      rule("if event.get('a') != 'x':\n    return False\nput_string_set('k', ['v'])\nreturn event.get('b') == 'y'"),
    shown: [{ a: 'x', b: 'n' }, { a: 'x' }],
    kept: [{ a: 'z', b: 'y' }],
  },
  {
    name: 'what a rule remembers by itself',
    code: rule(
      "if event.get('a') == 'x':\n    SEEN.add(event.get('b'))\nreturn event.get('c') == 'y' and len(SEEN) > 1",
      'SEEN = set()',
    ),
    shown: [{ a: 'x' }, { c: 'y' }],
    kept: [{ a: 'z' }],
  },
  {
    name: 'a loop over the elements of a list',
    code: rule(
      "for item in event.deep_get('list', default=[]):\n    if item.get('p') == 'x' and item.get('granted') is True:\n        return True\nreturn False",
    ),
    shown: [{ list: [{ p: 'x', granted: true }] }, { list: [{ p: 'n' }, { P: 'x', granted: true }] }],
    kept: [{}, { list: [] }, { list: [{ p: 'n', granted: true }] }],
  },
  {
    name: 'any over elements, and any over constants',
    code: rule(
      "return any(a in ('x', 'y') for a in event.get('list') or []) or any(w in event.get('t', '') for w in WORDS)",
      "WORDS = ('aa', 'bb')",
    ),
    shown: [{ list: ['n', 'y'] }, { list: 'xn' }, { list: { x: 1 } }, { t: '-bb-' }],
    kept: [{}, { list: ['n'] }, { t: '-b-b-' }],
  },
  {
    name: 'all, and, or, not over what is asked',
    code: rule("return all([event.get('a') == 'x', not event.get('b'), event.get('c', 1) in (1, 2)])"),
    shown: [{ a: 'x' }, { a: 'x', b: '', c: 2 }],
    kept: [{ a: 'x', b: 1 }, { a: 'y' }, { a: 'x', c: 3 }],
  },
  {
    name: 'match',
    code: rule(
      "match event.get('a'):\n    case 'x' | 'y':\n        return True\n    case None:\n        return event.get('b') == 1\n    case _:\n        return False",
    ),
    shown: [{ a: 'y' }, { b: 1 }, { a: null, b: 1 }],
    kept: [{ a: 'z', b: 1 }, {}],
  },
  {
    name: 'try: the handler answers too',
    code: rule("try:\n    return event['a']['b'] == 'x'\nexcept KeyError:\n    return event.get('c') == 'y'"),
    shown: [{ a: { b: 'x' } }, { c: 'y' }],
    kept: [{ a: { b: 'z' } }, {}],
  },
  {
    name: 'an assignment in a condition',
    code: rule("if (a := event.get('a')) and a == 'x':\n    return True\nreturn False"),
    shown: [{ a: 'x' }],
    kept: [{ a: 'z' }, {}],
  },
  {
    name: 'a value that depends on a branch',
    code: rule("a = event.get('a') if event.get('k') == 1 else event.get('b')\nreturn a == 'x'"),
    shown: [{ k: 1, a: 'x' }, { b: 'x' }],
    kept: [{ k: 1, b: 'x' }, { a: 'x' }],
  },
  {
    name: 'nested get with a default object, and with or',
    code: rule("return event.get('a', {}).get('b') == 'x' or (event.get('c') or {}).get('d', 'y') == 'y'"),
    shown: [{ a: { b: 'x' } }, { c: null }, { c: { d: 'y' } }, { A: { B: 'x' }, c: { d: 'n' } }],
    kept: [{ a: { b: 'n' }, c: { d: 'n' } }],
  },
  {
    name: 'a table of constants asked with a field',
    code: rule("return LEVELS.get(event.get('a'), 0) == 2", "LEVELS = {'x': 1, 'y': 2}"),
    shown: [{ a: 'y' }],
    kept: [{ a: 'x' }, {}],
  },
  {
    name: 'a regular expression contains its texts',
    code: `import re\n${rule("return bool(FORM.search(event.get('a', '')))", "FORM = re.compile(r'user-\\d+@(host)name')")}`,
    shown: [{ a: 'user-1@hostname' }],
    kept: [{ a: 'user-1' }, {}],
  },
  {
    name: 'order of numbers and texts',
    code: rule("return event.get('n', 0) > 5"),
    shown: [{ n: 6 }, { n: 5.5 }],
    kept: [{ n: 5 }, {}, { n: true }],
  },
  {
    name: 'a plain path of the data model keeps its case, what lies in it does not',
    code: rule("return event.udm('who') == 'x' or (event.udm('box') or {}).get('code') == 7"),
    shown: [{ a: { b: 'x' } }, { box: { CODE: 7 } }, { A: { b: 'n' }, a: { b: 'x' } }],
    kept: [{ A: { b: 'x' } }, { a: { b: 'n' } }],
  },
  {
    name: 'a name that the data model lacks is looked for in p_udm and the event',
    code: rule("return event.udm('free') == 'x'"),
    shown: [{ free: 'x' }, { p_udm: { free: 'x' } }],
    kept: [{ free: 'n' }, {}],
  },
  {
    name: 'a method of the data model is followed',
    code: rule("return event.udm('kind') == 'login'"),
    shown: [{ type: 'Login' }],
    kept: [{ type: 'Logout' }, {}],
  },
  {
    name: 'deep_walk goes through lists and minds the case',
    code: rule("return event.deep_walk('a', 'b') == 'x' or 'y' in event.deep_walk('a', 'b', default='')"),
    shown: [
      { a: { b: 'x' } },
      { a: [{ b: 'x' }] },
      { a: [{ b: ['x'] }, {}] },
      { a: [[{ b: 'n' }], { b: 'y' }] },
      { a: { b: ['y'] } },
    ],
    kept: [{ a: { b: 'n' } }, { A: { b: 'x' } }, { a: { B: 'x' } }, {}, { a: [{ c: 'x' }] }],
  },
  {
    name: 'what deep_walk finds in a list of objects',
    code: rule(
      "found = event.deep_walk('a', 'b')\nif not found:\n    return False\nfor one in found:\n    if one.get('c') == 'x' and one.get('d') is True:\n        return True\nreturn False",
    ),
    shown: [{ a: { b: [{ c: 'x', d: true }] } }, { a: { b: [{ c: 'n' }, { c: 'x', d: true }] } }],
    kept: [{ a: { b: [{ c: 'n', d: true }] } }, { a: { b: [{ C: 'x', d: true }] } }, { a: { b: [] } }, {}],
  },
  {
    name: 'deep_walk with a default, first and last',
    code: rule(
      "return event.deep_walk('a', 'b', default='x', return_val='first') == 'x' or any(one in (5, 'y') for one in event.deep_walk('c', 'd', default=[]))",
    ),
    shown: [{}, { a: 'n' }, { a: { b: 'x' } }, { a: { b: 'n' }, c: [{ d: 5 }, { d: 6 }] }, { a: { b: 'n' }, c: { d: 'any' } }],
  },
  {
    name: 'what deep_walk says of nothing but a number as default is not worked out',
    code: rule("return bool(event.deep_walk('a', 'b', default=0))"),
    shown: [{ a: [{ b: '' }, {}] }, {}],
  },
  {
    name: 'what cannot be followed sees everything',
    code: rule("return 'x' in str(event) or bool(event.deep_walk(*event.keys()))"),
    shown: [{ a: { b: 1 } }, {}, { q: 'x' }],
  },
]

import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Finding } from '../../../../model/match.ts'
import type { Detector } from '../../language.ts'
import { python } from '../index.ts'
import { dedent, makeBatch, makeRule } from '../rule.fixture.ts'

const EVENT = {
  Name: 'alice',
  n: 0,
  f: 1.5,
  empty: '',
  nothing: null,
  big: 1,
  Dup: 1,
  dup: 2,
  DUP: 3,
  nested: { Inner: { value: 'x' }, list: [{ y: 1 }, { q: 2 }, { y: 3 }], null: null },
  list: ['a', 'b', { k: 'v' }, ['z']],
  twice: [{ v: 'a' }, { v: 'a' }, { v: 'b' }],
  deep: [[], [[]]],
  tags: [{ names: ['p', 'q'] }, { names: ['q', 'r'] }],
  p_log_type: 'Test.Log',
  p_event_time: '2021-01-01 00:00:00.123456789',
  p_udm: { source: { ip: '10.0.0.1' } },
  p_enrichment: {
    t: { ip: { p_match: '1.1.1.1', x: 1 }, names: [null, { p_match: 'a', x: 2 }, { p_match: 'b', x: 3 }], odd: true },
  },
  z: 0,
}

/** Each is an expression that must be True, where `e` is the event above; its name describes it. */
const TRUE = [
  // Reading
  ['a key is found as it is written', "e['Name'] == 'alice'"],
  ['a key is found whatever its case', "e['NAME'] == 'alice' and e.get('name') == 'alice'"],
  ['of keys that differ in case the exact one wins', "(e['dup'], e['DUP']) == (2, 3)"],
  ['without an exact one the first in order wins', "e['DuP'] == 1"],
  ['a missing key is a KeyError with the key', "raises(KeyError, lambda: e['x']).args == ('x',)"],
  ['get takes its default by position and by name', "e.get('x', 1) == 1 and e.get('x', default=2) == 2 and e.get('x') is None"],
  ['a null is None, not the default', "e.get('nothing', 5) is None"],
  ['in ignores case', "'NAME' in e and 'nope' not in e"],
  ['a key that is no string is an AttributeError', "'lower' in str(raises(AttributeError, lambda: e[5]))"],
  ['a key that is no string is not in an empty map', 'raises(KeyError, lambda: PantherEvent({})[5])'],
  ['keys keep their case and order', "list(e)[:3] == ['Name', 'n', 'f'] and len(e) == len(e.keys())"],
  ['an empty event is false', 'not PantherEvent({}) and bool(e)'],
  [
    'items and values are wrapped',
    "dict(e.items())['nested'].get('INNER')['VALUE'] == 'x' and isinstance(list(e.values())[10], Mapping) is False",
  ],
  // Wrapping
  ['nested maps are no dicts but Mappings', "not isinstance(e['nested'], dict) and isinstance(e['nested'], Mapping)"],
  ['lists are no lists but Sequences', "not isinstance(e['list'], list) and isinstance(e['list'], Sequence)"],
  [
    'lists are ImmutableList, maps ImmutableCaseInsensitiveDict',
    "isinstance(e['list'], ImmutableList) and isinstance(e['nested'], ImmutableCaseInsensitiveDict)",
  ],
  ['the event itself is both', 'isinstance(e, PantherEvent) and isinstance(e, ImmutableCaseInsensitiveDict)'],
  ['items of a list are wrapped', "e['list'][2]['K'] == 'v' and isinstance(e['list'][3], ImmutableList)"],
  ['a slice is a plain tuple', "type(e['list'][:2]) is tuple and e['list'][1:3] == ('b', {'k': 'v'})"],
  [
    'lists know in, index, count, reversed',
    "'a' in e['list'] and e['list'].index('b') == 1 and e['list'].count('a') == 1 and list(reversed(e['list']))[-1] == 'a'",
  ],
  ['a list joins and unpacks', "','.join(e['list'][:2]) == 'a,b' and [*e['twice']][0]['v'] == 'a'"],
  ['a map unpacks', "{**e['nested']}['null'] is None and dict(e['nested'])['Inner']['value'] == 'x'"],
  // Equality, copies, text
  [
    'maps are equal by value',
    "e['nested']['Inner'] == {'value': 'x'} and {'value': 'x'} == e['nested']['Inner'] and e['nested'] == e['nested']",
  ],
  [
    'lists are equal to lists and tuples',
    "e['twice'][0:0] == () and e['deep'] == [[], [[]]] and e['deep'] == ([], [[]]) and e['deep'] != [1]",
  ],
  ['neither can be hashed', "raises(TypeError, lambda: {e}) and raises(TypeError, lambda: {e['list']})"],
  [
    'nothing can be changed',
    "raises(TypeError, lambda: e.__setitem__('a', 1) if hasattr(e, '__setitem__') else exec('e[\"a\"] = 1', {'e': e}))",
  ],
  ['there is no | and no append', "raises(TypeError, lambda: e | {}) and raises(AttributeError, lambda: e['list'].append(1))"],
  [
    'copies are plain and deep',
    "type(e.to_dict()['nested']['list']) is list and type(e['list'].copy()[2]) is dict and type(e['list'].as_list()) is list",
  ],
  ['a changed copy changes nothing', "e.copy()['nested']['list'].append(1) is None and len(e['nested']['list']) == 3"],
  ['a list shows its tuple', "str(e['twice']) == \"ImmutableList(({'v': 'a'}, {'v': 'a'}, {'v': 'b'}))\""],
  ['a map shows its dict', "repr(e['nested']['Inner']) == \"ImmutableCaseInsensitiveDict({'value': 'x'})\""],
  ['an event shows its dict', "repr(PantherEvent({'a': 1})) == \"PantherEvent({'a': 1})\""],
  [
    'json needs the encoder',
    'json.dumps(e[\'list\'], default=PantherEvent.json_encoder) == \'["a", "b", {"k": "v"}, ["z"]]\' and raises(TypeError, lambda: json.dumps(e))',
  ],
  ['the encoder refuses everything else', 'raises(TypeError, lambda: json.dumps({1, 2}, default=PantherEvent.json_encoder))'],
  ['an unknown attribute is an AttributeError', 'raises(AttributeError, lambda: e.nope)'],
  // deep_get
  ['deep_get ignores case on each level', "e.deep_get('NESTED', 'inner', 'VALUE') == 'x'"],
  [
    'deep_get gives None or the default for what is missing',
    "e.deep_get('a', 'b') is None and e.deep_get('a', 'b', default=7) == 7",
  ],
  ['deep_get takes null for missing', "e.deep_get('nothing', default=7) == 7 and e.deep_get('nested', 'null', default=7) == 7"],
  ['deep_get gives what is false', "e.deep_get('n', default=7) == 0 and e.deep_get('empty', default=7) == ''"],
  ['deep_get does not enter lists', "e.deep_get('list', 'k', default=7) == 7"],
  ['deep_get walks on in the default', "e.deep_get('q', 'x', default={'x': 5}) == 5"],
  ['deep_get wraps', "isinstance(e.deep_get('nested', 'list'), ImmutableList)"],
  ['deep_get hands the default out as it is', "type(e.deep_get('a', default=[])) is list"],
  // deep_walk
  ['deep_walk goes through lists', "e.deep_walk('nested', 'list', 'y') == [1, 3]"],
  ['deep_walk puts the default where the key is missing', "e.deep_walk('nested', 'list', 'y', default='D') == [1, 'D', 3]"],
  ['deep_walk minds the case', "e.deep_walk('NESTED') is None"],
  [
    'deep_walk has no repeats, a single result is no list',
    "e.deep_walk('twice', 'v') == ['a', 'b'] and e.deep_walk('list', 'k') == 'v'",
  ],
  ['deep_walk joins lists of lists', "e.deep_walk('tags', 'names') == ['p', 'q', 'r']"],
  [
    'deep_walk gives the first or the last',
    "e.deep_walk('twice', 'v', return_val='first') == 'a' and e.deep_walk('twice', 'v', return_val='last') == 'b'",
  ],
  ['deep_walk with an unknown return_val says all', "e.deep_walk('twice', 'v', return_val='some') == 'all'"],
  ['deep_walk takes lists of nothing for nothing', "e.deep_walk('deep') is None and e.deep_walk('deep', default=4) == 4"],
  ['deep_walk results are plain', "type(e.deep_walk('nested')) is dict and type(e.deep_walk('list')) is list"],
  ['deep_walk walks on in the default', "e.deep_walk('q', 'r', default=['x']) == 'x'"],
  ['deep_walk cannot sort out maps', "raises(TypeError, lambda: PantherEvent({'a': [{'b': {'c': 1}}]}).deep_walk('a', 'b'))"],
  [
    'a changed result of deep_walk changes nothing',
    "e.deep_walk('nested').clear() is None and e['nested']['Inner']['value'] == 'x'",
  ],
  // The rest
  ['udm reads p_udm', "e.udm('source', 'ip') == '10.0.0.1'"],
  ['udm falls back to the event', "e.udm('name') == 'alice'"],
  ['udm gives the default for what is false', "e.udm('z', default=4) == 4 and e.udm('nope') is None"],
  ['udm_path needs a data model', "'Test.Log' in str(raises(PantherError, lambda: e.udm_path('source_ip')))"],
  ['lookup needs tables', "'there are no tables here' in str(raises(LookupError, lambda: e.lookup('t', '1.1.1.1')))"],
  [
    'lookup in production does not believe what a log says of tables',
    "raises(LookupError, lambda: PantherEvent({'_mocked_lookup_data_': {'t': {'k': 1}}}).lookup('t', 'k')) is not None",
  ],
  ['event_time_epoch reads the event time', 'e.event_time_epoch() == 1609459200'],
  [
    "event_time_epoch reads the engine's own times too, while it judges",
    "PantherEvent({'p_event_time': '2021-01-01T00:00:00.5Z'}).event_time_epoch() == 1609459200",
  ],
  [
    'event_time_epoch is 0 for what it cannot read',
    "PantherEvent({'p_event_time': 'some day'}).event_time_epoch() == 0 and PantherEvent({}).event_time_epoch() == 0",
  ],
  ['an event copies the dict it is made of', "(lambda d: (PantherEvent(d), d.clear())[0])({'a': 1})['a'] == 1"],
  ['older content imports the same classes elsewhere', 'Older is PantherEvent and OlderList is ImmutableList'],
  ['an event has no data model here', 'e.data_model is None'],
] as const

const PRELUDE = dedent(`
  import json
  from collections.abc import Mapping, Sequence
  from panther_core import PantherError, PantherEvent
  from panther_core.enriched_event import PantherEvent as Same
  from panther_core.immutable import ImmutableCaseInsensitiveDict, ImmutableList
  from panther_analysis_tool.enriched_event import PantherEvent as Older
  from panther_analysis_tool.immutable import ImmutableList as OlderList

  def raises(kind, call):
      try:
          call()
      except kind as error:
          return error
      raise AssertionError(f"no {kind.__name__} was raised")
`)

let detector: Detector
let findings: readonly Finding[]

beforeAll(async () => {
  const rules = TRUE.map(([name, expression]) =>
    makeRule(name, `${PRELUDE}\ndef rule(event):\n    e = event\n    return bool(${expression})\n`),
  )
  detector = await python.create({ rules, helpers: [] }, { timeoutMs: 5000, all: false })
  findings = await detector.evaluate(makeBatch([EVENT]))
})
afterAll(() => detector.close())

test('every statement about the event object can be loaded', () => {
  expect(detector.setupErrors).toEqual([])
})

test.each(TRUE)('%s', (name) => {
  const finding = findings.find((f) => f.ruleId === name)
  expect(finding?.kind === 'error' ? finding.message : finding?.kind).toBe('match')
})

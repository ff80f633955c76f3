import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Finding } from '../../../../model/match.ts'
import type { Detector } from '../../language.ts'
import { python } from '../index.ts'
import { dedent, makeBatch, makeRule } from '../rule.fixture.ts'

const NOISE = { ip: '1.1.1.1', classification: 'malicious', actor: 'unknown', p_match: '1.1.1.1' }
const EVENT = {
  p_log_type: 'Test.Log',
  p_event_time: '2024-04-19 10:00:00.123456789',
  p_any_ip_addresses: ['1.1.1.1', '2.2.2.2'],
  p_enrichment: {
    tor_exit_nodes: {
      id_orig_h: { ip: '1.1.1.1', p_match: '1.1.1.1' },
      p_any_ip_addresses: [
        { ip: '1.1.1.1', p_match: '1.1.1.1' },
        { ip: '2.2.2.2', p_match: '2.2.2.2' },
      ],
      odd: null,
    },
    greynoise_noise_basic: {
      id_orig_h: NOISE,
      p_any_ip_addresses: [NOISE, { ip: '2.2.2.2', classification: 'benign', p_match: '2.2.2.2' }, null],
    },
    greynoise_noise_advanced: {
      id_orig_h: {
        ...NOISE,
        bot: true,
        cve: ['CVE-1', 'CVE-2'],
        first_seen: '2021-01-02',
        last_seen: '2023-05-06',
        metadata: { asn: 'AS1', tor: false },
        tags: ['a'],
        vpn: false,
      },
    },
    greynoise_riot_basic: { id_resp_h: { ip_cidr: '8.8.8.8/32', provider: { name: 'Google' } } },
    v3_noise: {
      id_orig_h: {
        ip: '1.1.1.1',
        internet_scanner_intelligence: {
          found: true,
          classification: 'malicious',
          bot: true,
          first_seen: '2021-01-02',
          last_seen_timestamp: '2023-05-06 01:02:03',
          tags: [{ name: 'Mirai' }],
          cves: 'CVE-3',
          metadata: { asn: 'AS2', rdns: 'x.test' },
        },
        business_service_intelligence: { found: false },
      },
      id_resp_h: {
        ip: '8.8.8.8',
        internet_scanner_intelligence: { found: false },
        business_service_intelligence: { found: true, name: 'Google', trust_level: '1' },
      },
    },
    p_any_ip_addresses: ['1.1.1.1'],
  },
}

/** Each is an expression that must be True, where `e` is the event above and `none` an event without enrichment. */
const TRUE = [
  // panther_lookuptable_helpers
  ['a selector with one row gives a value', "lut('tor_exit_nodes')._lookup('id_orig_h', 'ip') == '1.1.1.1'"],
  [
    'a selector with several rows gives a plain list',
    "lut('greynoise_noise_basic')._lookup('p_any_ip_addresses', 'classification') == ['malicious', 'benign', None]",
  ],
  [
    'a selector without a match gives None',
    "lut('tor_exit_nodes')._lookup('nope', 'ip') is None and lut('tor_exit_nodes')._lookup('odd', 'ip') is None",
  ],
  ['a table without a match gives None', "lut('nope')._lookup('id_orig_h', 'ip') is None"],
  [
    'p_matches finds the rows of a value by table',
    "set(LookupTableMatches().p_matches(e, '2.2.2.2')) == {'tor_exit_nodes', 'greynoise_noise_basic'}",
  ],
  ['p_matches without enrichment is empty', "LookupTableMatches().p_matches(none, '1.1.1.1') == {}"],
  // panther_tor_helpers
  ['a Tor match is a real True', 'TorExitNodes(e).has_exit_nodes() is True'],
  ['no Tor match is a real False', 'TorExitNodes(none).has_exit_nodes() is False'],
  [
    'the Tor address is the row’s',
    "TorExitNodes(e).ip_address('id_orig_h') == '1.1.1.1' and TorExitNodes(none).ip_address('id_orig_h') is None",
  ],
  [
    'the Tor link names address and day',
    "re.fullmatch(r'https://metrics.torproject.org/exonerator.html\\?ip=1.1.1.1&timestamp=\\d{4}-\\d\\d-\\d\\d&lang=en', TorExitNodes(e).url('id_orig_h')) is not None",
  ],
  ['several Tor addresses have several links', "len(TorExitNodes(e).url('p_any_ip_addresses')) == 2"],
  [
    'the Tor context is empty without a match',
    "set(TorExitNodes(e).context('id_orig_h')) == {'IP', 'ExoneraTorURL'} and TorExitNodes(none).context('id_orig_h') == {}",
  ],
  // panther_greynoise_helpers
  ['a classification of one row', "GreyNoiseBasic(e).classification('id_orig_h') == 'malicious'"],
  ['classifications of several rows', "GreyNoiseBasic(e).classification('p_any_ip_addresses') == ['malicious', 'benign', None]"],
  [
    'no classification without a row',
    "GreyNoiseBasic(e).classification('nope') is None and GreyNoiseBasic(none).classification('id_orig_h') is None",
  ],
  [
    'the GreyNoise link is made of the address',
    "GreyNoiseBasic(e).url('id_orig_h') == 'https://www.greynoise.io/viz/ip/1.1.1.1' and GreyNoiseBasic(none).url('x') is None",
  ],
  [
    'a basic object refuses what needs the advanced table',
    "'needs the table greynoise_noise_advanced' in str(raises(PantherGreyNoiseException, lambda: GreyNoiseBasic(e).is_bot('id_orig_h')))",
  ],
  [
    'an advanced object knows more',
    "(lambda a: (a.is_bot('id_orig_h'), a.cve_string('id_orig_h'), a.asn('id_orig_h'), str(a.last_seen('id_orig_h'))))(GreyNoiseAdvanced(e)) == (True, 'CVE-1 CVE-2', 'AS1', '2023-05-06 00:00:00')",
  ],
  [
    'the context of a match',
    "GreyNoiseBasic(e).context('id_orig_h')['Classification'] == 'malicious' and GreyNoiseAdvanced(e).context('id_orig_h')['Bot'] is True and GreyNoiseBasic(none).context('x') == {}",
  ],
  [
    'the richest object is chosen',
    "GetGreyNoiseObject(e).subscription_level() == 'advanced' and GetGreyNoiseObject(none).subscription_level() == 'basic'",
  ],
  [
    'RIOT is a real bool',
    "GetGreyNoiseRiotObject(e).is_riot('id_resp_h') is True and GetGreyNoiseRiotObject(e).is_riot('id_orig_h') is False",
  ],
  [
    'a severity by classification',
    "GreyNoiseSeverity(e, 'id_orig_h') == 'CRITICAL' and GreyNoiseSeverity(e, 'id_resp_h') == 'INFO' and GreyNoiseSeverity(none, 'x', 'LOW') == 'LOW'",
  ],
  [
    'V3 is found by its rows',
    "get_greynoise_v3_object(e).classification('id_orig_h') == 'malicious' and get_greynoise_v3_object(none) is None",
  ],
  [
    'V3 accessors',
    "(lambda v: (v.is_bot('id_orig_h'), v.is_tor('id_orig_h'), v.cve_list('id_orig_h'), v.tag_names_string('id_orig_h'), v.rev_dns('id_orig_h'), v.asn('nope')))(GreyNoiseV3ScannerIntelligence(e)) == (True, False, ['CVE-3'], 'Mirai', 'x.test', None)",
  ],
  [
    'V3 business services are INFO',
    "greynoise_v3_severity(e, 'id_resp_h') == 'INFO' and greynoise_v3_severity(e, 'id_orig_h') == 'CRITICAL' and greynoise_v3_severity(none, 'x', 'HIGH') == 'HIGH'",
  ],
  [
    'the V3 context is JSON',
    "json.loads(json.dumps(greynoise_v3_alert_context(e, 'id_orig_h'), default=e.json_encoder))['LastSeen'] == '2023-05-06 01:02:03'",
  ],
  // panther_base_helpers
  [
    'deep_get on plain dicts minds the case',
    "deep_get({'a': {'b': 1}}, 'a', 'b') == 1 and deep_get({'a': {'b': 1}}, 'A', default=2) == 2 and deep_get({'a': None}, 'a', default=3) == 3",
  ],
  ['deep_get on an event ignores it', "deep_get(e, 'P_ENRICHMENT', 'TOR_exit_nodes', 'id_orig_h', 'ip') == '1.1.1.1'"],
  [
    'deep_walk through lists',
    "deep_walk({'a': [{'b': 1}, {'b': 2}, {}]}, 'a', 'b') == [1, 2] and deep_walk({'a': [{'b': 1}]}, 'a', 'b') == 1 and deep_walk({'a': [[]]}, 'a', default=0) == 0",
  ],
  [
    'networks',
    "is_ip_in_network('10.1.2.3', ['192.168.0.0/16', '10.0.0.0/8']) and not is_ip_in_network('1.1.1.1', []) and raises(ValueError, lambda: is_ip_in_network('x', ['10.0.0.0/8']))",
  ],
  ['patterns', "pattern_match('a.txt', '*.txt') and pattern_match_list('b', ['a', '[bc]']) and not pattern_match('A', 'a')"],
  ['indicators are defanged', "defang_ioc('http://a.b') == 'hxxp://a[.]b' and defang_ioc('https://a.b') == 'hxxps://a[.]b'"],
  ['indicators are matched', "ioc_match(['a', 'b'], {'b'}) == ['b'] and ioc_match(None, {'b'}) == []"],
  [
    'Base64 is recognised',
    "is_base64(base64.b64encode(b'powershell -enc something').decode()) == 'powershell -enc something' and is_base64('short') == '' and is_base64('a' * 32) == ''",
  ],
  [
    'UTF-16 Base64 is recognised',
    "is_base64(base64.b64encode('whoami /all /priv'.encode('utf-16-le')).decode()) == 'whoami /all /priv'",
  ],
  ['severities compare', "severity_greater_than('HIGH', 'LOW') and not severity_greater_than('x', 'INFO')"],
  [
    'lists of pairs',
    "key_value_list_to_dict([{'k': 'a', 'v': 1}], 'k', 'v') == {'a': 1} and get_val_from_list([{'a': 1, 'b': 2}, {'a': 3, 'b': 4}], 'a', 'b', 2) == {1}",
  ],
  ['listify', "listify('a') == ['a'] and listify((1,)) == (1,) and listify(5) == [5] and listify({'a': 1}) == [{'a': 1}]"],
  [
    'nanoseconds are cut',
    "str(panther_nanotime_to_python_datetime('2024-01-01 00:00:00.123456789')) == '2024-01-01 00:00:00.123456' and nano_to_micro('10:00:01.123456789') == '10:00:1.123457'",
  ],
  [
    'times of many forms',
    "all(resolve_timestamp_string(t) == datetime(2024, 4, 19, 10, 0) for t in ('2024-04-19 10:00:00', '2024-04-19T10:00:00Z', '04/19/2024 10:00:00', \"'2024-04-19T10:00:00'\")) and resolve_timestamp_string('') is None",
  ],
  ['a time since the epoch', "resolve_timestamp_string('1713520800.5') == datetime(2024, 4, 19, 10, 0, 0, 500000)"],
  ['a delay in words', "time_delta('2024-04-19 10:00:00', '2024-04-20 10:01:05') == '1 day(s) 1 minute(s) 5 second(s)'"],
  [
    'an investigation names the indicators',
    "\"| where arrays.overlap(p_any_ip_addresses, ['1.1.1.1', '2.2.2.2'])\" in pantherflow_investigation(e) and 'panther_logs.public.test_log' in pantherflow_investigation(e)",
  ],
  // Not supported
  [
    'absent packages fail when used, with their name',
    "\"'boto3'\" in str(raises(NotImplementedError, lambda: boto3.resource('dynamodb')))",
  ],
  [
    'exceptions of absent packages are classes',
    'issubclass(NoCredentialsError, Exception) and issubclass(requests.exceptions.RequestException, Exception)',
  ],
  ['the cache is there, and empty', "get_string_set('k') == set()"],
  [
    'dates of several forms',
    "date_parser.parse('2024-04-19T10:00:00+02:00').utcoffset().seconds == 7200 and raises(date_parser.ParserError, lambda: date_parser.parse('soon'))",
  ],
] as const

const PRELUDE = dedent(`
  import base64, json, re
  from datetime import datetime
  import boto3
  import requests
  from botocore.exceptions import NoCredentialsError
  from dateutil import parser as date_parser
  from panther_core import PantherEvent
  from panther_base_helpers import *
  from panther_detection_helpers.caching import get_string_set
  from panther_greynoise_helpers import *
  from panther_lookuptable_helpers import LookupTableMatches
  from panther_tor_helpers import TorExitNodes

  none = PantherEvent({})

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
    makeRule(
      name,
      `${PRELUDE}\ndef rule(event):\n    e = event\n    def lut(table):\n        found = LookupTableMatches()\n        found._register(event, table)\n        return found\n    return bool(${expression})\n`,
    ),
  )
  detector = await python.create({ rules, helpers: [] }, { timeoutMs: 5000, all: false })
  findings = await detector.evaluate(makeBatch([EVENT]))
})
afterAll(() => detector.close())

test('every statement about the helpers can be loaded', () => {
  expect(detector.setupErrors).toEqual([])
})

test.each(TRUE)('%s', (name) => {
  const finding = findings.find((f) => f.ruleId === name)
  expect(finding?.kind === 'error' ? finding.message : finding?.kind).toBe('match')
})

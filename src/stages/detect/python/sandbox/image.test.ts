import { afterEach, expect, test, vi } from 'vitest'
import type { Detector } from '../../language.ts'
import { python } from '../index.ts'
import { makeBatch, makeRule, matchesOf } from '../rule.fixture.ts'

vi.setConfig({ testTimeout: 120_000 })

const open: Detector[] = []
afterEach(async () => {
  for (const detector of open.splice(0)) await detector.close()
})

// Modules that public rules import, and constructs that ordinary authors use.
const IMPORTED = [
  ...['array', 'ast', 'base64', 'binascii', 'calendar', 'collections', 'collections.abc', 'configparser', 'contextlib', 'copy'],
  ...['csv', 'dataclasses', 'datetime', 'decimal', 'difflib', 'email', 'email.message', 'email.utils', 'enum', 'fnmatch'],
  ...['fractions', 'functools', 'gzip', 'hashlib', 'heapq', 'hmac', 'html', 'html.parser', 'io', 'ipaddress', 'itertools'],
  ...['json', 'logging', 'math', 'operator', 'os', 'pathlib', 'pickle', 'pprint', 'random', 're', 'secrets', 'shlex'],
  ...['statistics', 'string', 'struct', 'sys', 'tempfile', 'textwrap', 'time', 'tomllib', 'traceback', 'typing', 'unicodedata'],
  ...[
    'unittest',
    'unittest.mock',
    'urllib.parse',
    'urllib.request',
    'uuid',
    'xml.etree.ElementTree',
    'zipfile',
    'zlib',
    'zoneinfo',
  ],
  ...[
    'dateutil',
    'dateutil.parser',
    'dateutil.relativedelta',
    'panther_core',
    'panther_detection_helpers.caching',
    'policyuniverse',
  ],
  ...['policyuniverse.arn', 'policyuniverse.expander_minimizer', 'policyuniverse.policy', 'pycountry', 'six', 'six.moves'],
]

test('modules that rules import are in the memory image of a child, at no cost to any rule', async () => {
  const rule = makeRule(
    'Imports',
    `
    import sys
    MISSING = [name for name in ${JSON.stringify(IMPORTED)} if name not in sys.modules]
    BEFORE = set(sys.modules)
    import panther_base_helpers, panther_greynoise_helpers, panther_lookuptable_helpers, panther_tor_helpers
    NEW = sorted(set(sys.modules) - BEFORE)
    def rule(event): return True
    def title(event): return str(MISSING)
    def dedup(event): return str(NEW)
  `,
  )
  const detector = await python.create({ rules: [rule], helpers: [] }, { timeoutMs: 1000, all: false })
  open.push(detector)
  expect(detector.setupErrors).toEqual([])
  const [match] = matchesOf(await detector.evaluate(makeBatch([{}])))
  expect(match!.title).toBe('[]')
  // The shipped helpers run for each content root and import only modules that are already loaded.
  expect(match!.dedup).toBe(
    "['panther_base_helpers', 'panther_greynoise_helpers', 'panther_lookuptable_helpers', 'panther_tor_helpers']",
  )
})

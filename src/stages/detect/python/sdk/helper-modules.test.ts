import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Detector } from '../../language.ts'
import { python } from '../index.ts'
import { errorsOf, makeBatch, makeHelper, makeRule, matchesOf } from '../rule.fixture.ts'

// A helper is an ordinary module for everything that looks it up by name. Each rule returns True if that is the case.
const HELPER = makeHelper(
  'shapes',
  `
    from __future__ import annotations
    import sys
    from dataclasses import dataclass
    from typing import NamedTuple
    @dataclass
    class Point:
        x: int
        names: list[str]
    class Pair(NamedTuple):
        left: Point
    def same(x): return x
    ITSELF = sys.modules[__name__]
  `,
)

const USES: readonly (readonly [string, string])[] = [
  ['dataclasses with annotations as text', "shapes.Point(1, ['a']) == shapes.Point(x=1, names=['a'])"],
  ['type hints', 'typing.get_type_hints(shapes.Pair)["left"] is shapes.Point'],
  ['an import by text', 'importlib.import_module("shapes") is shapes'],
  ['an import by text of what nobody has imported', 'importlib.import_module("lazy").VALUE == 7'],
  ['the table of modules', 'sys.modules["shapes"] is shapes and shapes.ITSELF is shapes'],
  ['pickle', 'pickle.loads(pickle.dumps(shapes.Point(1, []))) == shapes.Point(1, [])'],
  ['a module of Python of the same name', 'string.digits == "0123456789"'],
]

const IMPORTS = 'import importlib, pickle, string, sys, typing, shapes\nfrom unittest import mock\n'
const MOCK = `def rule(event):\n    with mock.patch("shapes.same", lambda x: 2):\n        return shapes.same(1) == 2`

let detector: Detector
beforeAll(async () => {
  const rules = USES.map(([name, code]) => makeRule(name, `${IMPORTS}def rule(event): return ${code}`))
  const elsewhere = makeRule(
    'another root',
    'import shapes\ndef rule(event): return shapes.Point(2).x == 2 and shapes.__name__ != "shapes"',
  )
  const helpers = [
    HELPER,
    makeHelper('lazy', 'VALUE = 7'),
    makeHelper('string', 'digits = 0'),
    makeHelper(
      'shapes',
      'from __future__ import annotations\nfrom dataclasses import dataclass\n@dataclass\nclass Point:\n    x: int',
      '/two',
    ),
  ]
  const source = { language: 'python', file: '/two/rules/a.py', code: (elsewhere.source as { code: string }).code } as const
  const content = { rules: [...rules, makeRule('a mock', IMPORTS + MOCK), { ...elsewhere, source }], helpers }
  detector = await python.create(content, { timeoutMs: 5000, all: false })
})
afterAll(() => detector.close())

test('helpers are modules that all code finds by name, each root its own', async () => {
  expect(detector.setupErrors).toEqual([])
  const findings = await detector.evaluate(makeBatch([{}]))
  expect(errorsOf(findings)).toEqual([])
  expect(matchesOf(findings).map(({ ruleId }) => ruleId)).toEqual([...USES.map(([name]) => name), 'a mock', 'another root'])
})

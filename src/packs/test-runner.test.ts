import { describe, expect, test } from 'vitest'
import type { Rule, RuleTest } from '../model/rule.ts'
import type { Detector, TestRun } from '../stages/detect/language.ts'
import { junitReport } from './junit.ts'
import { problemLine, ruleJson, ruleText, summaryText } from './test-report.ts'
import { addUp, isPassed, type RuleResult, runTests, type TestOptions } from './test-runner.ts'

function run(out: Record<string, string>, errors: Record<string, string> = {}): TestRun {
  return { out, errors, printed: '', ms: 1.23456 }
}

describe('a test', () => {
  const cases = [
    { that: 'expects a match and gets one', expected: true, is: run({ detection: 'true' }), passed: true },
    { that: 'expects a match and gets none', expected: true, is: run({ detection: 'false' }), passed: false },
    { that: 'expects none and gets none', expected: false, is: run({ detection: 'false' }), passed: true },
    { that: 'expects none and gets a match', expected: false, is: run({ detection: 'true' }), passed: false },
    {
      that: 'matches and whose title fails',
      expected: true,
      is: run({ detection: 'true' }, { title: 'KeyError' }),
      passed: false,
    },
    {
      that: 'expects none and whose title fails',
      expected: false,
      is: run({ detection: 'false' }, { title: 'KeyError' }),
      passed: true,
    },
    { that: 'expects none and whose rule fails', expected: false, is: run({}, { detection: 'KeyError' }), passed: false },
    { that: 'expects none and gets 0', expected: false, is: run({ detection: '0' }, { detection: 'int' }), passed: false },
    {
      that: 'expects a match and gets the text true',
      expected: true,
      is: run({ detection: '"true"' }, { detection: 'str' }),
      passed: false,
    },
  ]
  test.each(cases)('that $that: passed is $passed', ({ expected, is, passed }) => expect(isPassed(expected, is)).toBe(passed))

  const policies = [
    { that: 'expects an alert and gets one', expected: false, is: run({ detection: 'false' }), passed: true },
    { that: 'alerts and whose title fails', expected: false, is: run({ detection: 'false' }, { title: 'E' }), passed: false },
    { that: 'expects none and whose title fails', expected: true, is: run({ detection: 'true' }, { title: 'E' }), passed: true },
    { that: 'expects none and gets an alert', expected: true, is: run({ detection: 'false' }), passed: false },
  ]
  test.each(policies)('of a policy that $that: passed is $passed', ({ expected, is, passed }) =>
    expect(isPassed(expected, is, 'policy')).toBe(passed),
  )
})

function ruleWith(id: string, expectations: readonly boolean[]): Rule {
  return {
    id,
    displayName: undefined,
    enabled: true,
    logTypes: ['X.Y'],
    severity: 'LOW',
    description: '',
    reference: '',
    runbook: '',
    tags: [],
    reports: {},
    dedupPeriodMinutes: 60,
    threshold: 1,
    summaryAttributes: [],
    outputIds: [],
    createAlert: true,
    tests: expectations.map(
      (expectedResult, at): RuleTest => ({ name: `t${at}`, expectedResult, log: String(expectedResult), mocks: [] }),
    ),
    file: `/c/${id}.yml`,
    source: { language: 'echo', file: `/c/${id}.py`, code: '' },
  }
}

/** A language whose rules return the test's event. */
const echo: Detector = {
  logTypes: new Set(),
  ruleIds: () => [],
  setupErrors: [{ kind: 'error', ruleId: 'Broken', event: -1, cause: 'import', message: 'no module' }],
  evaluate: async () => [],
  test: async (_ruleId, { log }) => run({ detection: log, title: '"T\\u001b[2J"' }),
  timings: () => [],
  close: async () => {},
}

async function results(rules: readonly Rule[], minimumTests = 0): Promise<RuleResult[]> {
  const all: RuleResult[] = []
  const detectors = new Map(rules.filter((rule) => rule.source.language === 'echo').map((rule) => [rule.id, echo]))
  for await (const result of runTests(rules, detectors, { minimumTests })) all.push(result)
  return all
}

describe('a run', () => {
  test('keeps the order of rules and tests, and counts', async () => {
    const all = await results([ruleWith('A', [true, false]), ruleWith('Broken', []), ruleWith('B', [false])])
    expect(all.map(({ rule, tests }) => [rule.id, tests.map(({ test: name }) => name)])).toEqual([
      ['A', ['t0', 't1']],
      ['Broken', []],
      ['B', ['t0']],
    ])
    expect(addUp(all, 2)).toEqual({ detections: 3, tests: 3, passed: 3, failed: 0, errors: 3 })
    expect(summaryText(addUp(all, 2))).toBe('3 detections, 3 tests: 3 passed, 0 failed, 3 errors')
  })

  test('requests the tests of all rules at once, so that a detector can combine them', async () => {
    const asked: string[] = []
    const answers: (() => void)[] = []
    const patient: Detector = {
      ...echo,
      test: (ruleId, { name, log }) => {
        asked.push(`${ruleId} ${name}`)
        return new Promise((resolve) => answers.push(() => resolve(run({ detection: log }))))
      },
    }
    const rules = [ruleWith('A', [true, false]), ruleWith('B', [false])]
    const all = runTests(rules, new Map(rules.map((rule) => [rule.id, patient])))
    const first = all.next()
    expect(asked).toEqual(['A t0', 'A t1', 'B t0'])
    // The last one is answered first.
    for (const answer of answers.reverse()) answer()
    expect((await first).value?.rule.id).toBe('A')
    expect((await all.next()).value?.rule.id).toBe('B')
  })

  const coverage = [
    { minimum: 0, tests: [], errors: [] },
    { minimum: 1, tests: [true], errors: [] },
    { minimum: 1, tests: [], errors: ['Insufficient test coverage: 1 tests required but only 0 found'] },
    { minimum: 2, tests: [true, false], errors: [] },
    {
      minimum: 2,
      tests: [true, true],
      errors: ['Insufficient test coverage: expected at least one positive and one negative test'],
    },
  ]
  test.each(coverage)('with at least $minimum tests required and $tests: $errors', async ({ minimum, tests, errors }) => {
    expect((await results([ruleWith('A', tests)], minimum))[0]?.errors).toEqual(errors)
  })

  async function options(rule: Rule, given: TestOptions, detector: Detector = echo): Promise<RuleResult> {
    for await (const result of runTests([rule], new Map([[rule.id, detector]]), given)) return result
    throw new Error('no result')
  }

  test('disabled rules and tests of other names are skipped', async () => {
    const off = { ...ruleWith('A', [true]), enabled: false }
    expect((await options(off, {})).tests.length).toBe(1)
    expect(await options(off, { skipDisabled: true })).toMatchObject({ tests: [], skipped: 'it is disabled' })
    expect((await options(ruleWith('A', [true, false]), { testNames: new Set(['t1']) })).tests.map((one) => one.test)).toEqual([
      't1',
    ])
    expect(addUp([await options(off, { testNames: new Set(['x']) })], 0)).toMatchObject({ detections: 0, tests: 0, errors: 0 })
  })

  const destinations = [
    { named: '["a","b"]', known: ['a', 'b'], passed: true },
    { named: '["a","c"]', known: ['a', 'b'], passed: false },
    { named: '[]', known: ['a'], passed: true },
    { named: 'null', known: [], passed: true },
    { named: '["c"]', known: undefined, passed: true },
  ]
  test.each(destinations)('destinations $named where $known exist: passed is $passed', async ({ named, known, passed }) => {
    const naming: Detector = { ...echo, test: async () => run({ detection: 'true', destinations: named }) }
    const given = { destinations: known && new Set(known) }
    const result = await options(ruleWith('A', [true]), given, naming)
    expect(result.tests[0]?.passed).toBe(passed)
  })

  test('an event that an inline filter drops is not passed to the rule', async () => {
    const rule: Rule = { ...ruleWith('A', [true]), inlineFilter: { op: 'always', value: false } }
    const result = await options({ ...rule, tests: [{ ...rule.tests[0]!, log: '{}' }] }, {})
    expect(result.tests[0]?.run.out).toEqual({ detection: 'false' })
  })

  test('detectors work concurrently, and results keep the order of the rules', async () => {
    const done: string[] = []
    let release = () => {}
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    const slow: Detector = {
      ...echo,
      test: async (id) => {
        await gate
        done.push(id)
        return run({ detection: 'true' })
      },
    }
    const quick: Detector = {
      ...echo,
      test: async (id) => {
        done.push(id)
        release()
        return run({ detection: 'true' })
      },
    }
    const rules = [ruleWith('A', [true]), ruleWith('B', [true])]
    const order: string[] = []
    for await (const { rule } of runTests(
      rules,
      new Map([
        ['A', slow],
        ['B', quick],
      ]),
    ))
      order.push(rule.id)
    expect([done, order]).toEqual([
      ['B', 'A'],
      ['A', 'B'],
    ])
  })

  test('a rule whose language has no detector is a mistake of the caller', async () => {
    const other = { ...ruleWith('A', []), source: { language: 'other', file: '', code: '' } }
    await expect(results([other])).rejects.toThrow("there is no detector for the language 'other' of rule 'A'")
  })
})

describe('a report', () => {
  test('JSON lines contain return values of functions unchanged', async () => {
    const [first] = await results([ruleWith('A', [true])])
    expect(ruleJson(first!)).toEqual([
      '{"id":"A","test":"t0","passed":true,"expected":true,"out":{"detection":true,"title":"T\\u001b[2J"},"errors":{},"ms":1.235}',
    ])
    expect(ruleJson({ rule: ruleWith('B', []), tests: [], errors: ['e'] })).toEqual(['{"id":"B","error":"e"}'])
  })

  test('a failure shows the expected and actual result, and every error', () => {
    const rule = ruleWith('A', [])
    const wrong = {
      rule,
      test: 'wrong',
      passed: false,
      expected: true,
      run: { ...run({ detection: 'false' }, { title: 'a.py:3' }), printed: 'x\ny\n' },
    }
    const good = { rule, test: 'good', passed: true, expected: true, run: run({ detection: 'true' }) }
    expect(ruleText({ rule, tests: [good, wrong], errors: [] }, true)).toEqual([
      'A',
      '  FAIL  wrong',
      '        - expected  rule: true',
      '        + actual    rule: false',
      '        title failed: a.py:3',
      '        printed: x\n          y',
      '        in /c/A.yml',
    ])
    expect(ruleText({ rule, tests: [good], errors: [] }, false)).toEqual(['A', '  PASS  good'])
    expect(ruleText({ rule, tests: [], errors: [] }, false)).toEqual(['A', '  no tests'])
  })

  test('a JUnit report is valid XML whatever rules return', async () => {
    const rule = ruleWith('A<&"', [])
    const bad = {
      rule,
      test: 'b\u0000]]>',
      passed: false,
      expected: true,
      run: run({ detection: 'false' }, { title: '<\ud800>' }),
    }
    const results = [
      { rule, tests: [bad], errors: ['two\nlines'] },
      { rule: ruleWith('S', []), tests: [], errors: [], skipped: 'it is disabled' },
    ]
    const text = junitReport(results, [{ file: '/a.yml', line: 3, message: 'm' }])
    expect(text).toContain('<testsuite name="A&lt;&amp;&quot;" tests="2" failures="1" errors="1" skipped="0"')
    expect(text).toContain('name="b\ufffd]]&gt;"')
    expect(text).toContain('<failure message="&lt;\ufffd&gt;">')
    expect(text).toContain('<error message="two&#10;lines"/>')
    expect(text).toContain('<testcase classname="S" name="all"><skipped/></testcase>')
    expect(text).toContain('<error message="/a.yml:3: m"/>')
  })

  test('the location where a function failed is reported with its error', () => {
    const rule = ruleWith('A', [])
    const at = { ...run({ detection: 'true' }, { title: "KeyError('m')" }), where: { title: 'a.py:3 in title' } }
    const result = { rule, tests: [{ rule, test: 't', passed: false, expected: true, run: at }], errors: [] }
    expect(ruleText(result, false)).toContain('          at a.py:3 in title')
    expect(ruleJson(result)[0]).toContain('"where":{"title":"a.py:3 in title"}')
  })

  test('a problem names file and line', () => {
    expect(problemLine({ file: '/a.yml', line: 3, message: 'm' })).toBe('/a.yml:3: m')
    expect(problemLine({ file: '/a.yml', line: undefined, message: 'm' })).toBe('/a.yml: m')
  })
})

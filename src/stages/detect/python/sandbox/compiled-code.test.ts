import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Rule } from '../../../../model/rule.ts'
import { python } from '../index.ts'
import { makeHelper, makeRule, makeTest } from '../rule.fixture.ts'
import { CompiledCode } from './compiled-code.ts'

vi.setConfig({ testTimeout: 120_000 })

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'caracal-compiled-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const RULE = makeRule('R', 'import my_helper\ndef rule(event): return True\ndef title(event): return my_helper.NAME')
const BROKEN = makeRule('Broken', 'def rule(event) return')
const FAILS = makeRule('Fails', 'x = 1\n\ndef rule(event):\n    return 1 / 0')

/** The results of a run with these rules: titles, setup errors, and where a rule fails. */
async function run(name: string, rules: readonly Rule[] = [RULE, BROKEN, FAILS]) {
  const helpers = [makeHelper('my_helper', `NAME = '${name}'`)]
  const detector = await python.create({ rules, helpers }, { timeoutMs: 3000, all: false, compiledFolder: join(folder, 'code') })
  try {
    const { out } = await detector.test('R', makeTest({}))
    const failed = await detector.test('Fails', makeTest({}))
    return { title: out['title'], errors: detector.setupErrors.map(({ message }) => message), where: failed.where }
  } finally {
    await detector.close()
  }
}

const expected = (name: string) => ({
  title: `"${name}"`,
  errors: [expect.stringContaining('/root/rules/Broken.py:1: SyntaxError')],
  where: { detection: '/root/rules/Fails.py:4 in rule' },
})

test('a run with saved code, with changed code and with a damaged file has the same results as one without', async () => {
  expect(await run('one')).toEqual(expected('one'))
  const [file] = readdirSync(join(folder, 'code'))
  const path = join(folder, 'code', file!)
  const first = readFileSync(path)
  expect(await run('one')).toEqual(expected('one'))
  expect(readFileSync(path)).toEqual(first)
  expect(await run('two')).toEqual(expected('two'))
  const damaged = Buffer.from(readFileSync(path))
  damaged[damaged.length - 10]! ^= 1
  writeFileSync(path, damaged)
  expect(await run('two')).toEqual(expected('two'))
  expect(readFileSync(path)).not.toEqual(damaged)
})

test('a folder that cannot be created costs only time', async () => {
  writeFileSync(join(folder, 'code'), 'a file')
  expect(await run('one')).toEqual(expected('one'))
})

test('a source that overwhelms the compiler is an error of its rule alone', async () => {
  const deep = makeRule('Deep', `x = ${'-'.repeat(300_000)}1\ndef rule(event): return True`)
  const { title, errors } = await run('one', [deep, RULE, FAILS])
  expect(title).toBe('"one"')
  expect(errors).toEqual([expect.stringContaining('/root/rules/Deep.py')])
})

test('a rule that changes the engine’s compiled code has no effect on the next run', async () => {
  const thief = makeRule(
    'A',
    `
    import gc, sys
    for found in gc.get_objects():
        if type(found) is dict and found and all(type(key) is tuple for key in found):
            for key in list(found):
                found[key] = 'stolen'
    def rule(event): return True
  `,
  )
  await run('one', [thief, RULE, FAILS])
  const honest = await run('one', [RULE, FAILS])
  expect(honest.title).toBe('"one"')
  // The same set of rules again: the file contains the code as compiled before any rule ran.
  const [kept] = await Promise.all(
    readdirSync(join(folder, 'code')).map((name) => readFileSync(join(folder, 'code', name), 'latin1')),
  )
  expect(kept).not.toContain('stolen')
})

test('only the newest files remain', async () => {
  for (let i = 0; i < 20; i++) {
    const code = CompiledCode.open(folder, [`/root${i}`])
    code.set(['/a.py', `x = ${i}`], 'YQ==')
    await code.save()
  }
  expect(readdirSync(folder)).toHaveLength(16)
  const last = CompiledCode.open(folder, ['/root19'])
  expect(last.get(['/a.py', 'x = 19'])).toBe('YQ==')
  expect(last.get(['/b.py', 'x = 19'])).toBe(null)
})

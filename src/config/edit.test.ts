import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { setPack, withPack } from './edit.ts'
import { loadConfig } from './load.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'caracal-edit-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

const CONFIG = `# Ours.
listen: 127.0.0.1:4848 # not the world

sources:
  # Sensors.
  - type: file
    id: zeek
    paths: [/opt/zeek/logs/current/*.log, "/srv/a very long path that nobody wants to see folded into two lines/of text/*.log"]
flush_ms: 0x7d0
# Last.
`

test.each<[what: string, before: string, id: string, isOff: boolean, after: string]>([
  ['an empty file', '', 'A', true, 'disabled_packs:\n  - A\n'],
  ['only comments', '# Ours.\n', 'A', true, '# Ours.\ndisabled_packs:\n  - A\n'],
  ['a key without a value', 'disabled_packs:\n', 'A', true, 'disabled_packs:\n  - A\n'],
  ['a list in one line', 'disabled_packs: [A] # noisy\n', 'B', true, 'disabled_packs: [A, B] # noisy\n'],
  ['a list in one line, spaced', 'disabled_packs: [ A ]\n', 'B', true, 'disabled_packs: [ A, B ]\n'],
  [
    'a list with comments',
    'disabled_packs:\n- A # noisy\n- B # old\nflush_ms: 100\n',
    'C',
    true,
    'disabled_packs:\n- A # noisy\n- B # old\n- C\nflush_ms: 100\n',
  ],
  ['one of several', 'disabled_packs:\n  - A # noisy\n  - B # old\n', 'B', false, 'disabled_packs:\n  - A # noisy\n'],
  ['the last', '# Off.\ndisabled_packs:\n  - A\n', 'A', false, '# Off.\ndisabled_packs: []\n'],
  ['one named twice', 'disabled_packs: [A, B, A]\n', 'A', false, 'disabled_packs: [B]\n'],
  [
    'unrelated lines in an odd style',
    'sources:   [ ]   # none\n\n\n# Last.',
    'A',
    true,
    'sources:   [ ]   # none\n\n\n# Last.\ndisabled_packs:\n  - A\n',
  ],
  [
    'the key between others',
    'a:  1 # x\ndisabled_packs: [A]\n\n# On b.\nb:  2 # y\n',
    'A',
    false,
    'a:  1 # x\ndisabled_packs: []\n\n# On b.\nb:  2 # y\n',
  ],
  ['JSON', '{"flush_ms": 100}\n', 'A', true, '{"flush_ms": 100, "disabled_packs": ["A"]}\n'],
  ['an id that looks like a number', 'disabled_packs: [A]\n', '12', true, 'disabled_packs: [A, "12"]\n'],
  ['Windows line endings', 'flush_ms: 100\r\n', 'A', true, 'flush_ms: 100\r\ndisabled_packs:\r\n  - A\r\n'],
])('%s', (_what, before, id, isOff, after) => {
  expect(withPack(before, 'disabled_packs', id, isOff)).toBe(after)
})

test('everything else stays as written, and the change is made', () => {
  const file = join(folder, 'caracal.yml')
  writeFileSync(file, CONFIG)
  const before = loadConfig(file, {})
  setPack(file, 'disabled_packs', 'A', true)
  expect(loadConfig(file, {})).toEqual({ ...before, disabled_packs: ['A'] })
  const lines = readFileSync(file, 'utf8').split('\n')
  expect(lines).toEqual([...CONFIG.split('\n').slice(0, -1), 'disabled_packs:', '  - A', ''])
  setPack(file, 'disabled_packs', 'A', false)
  expect(loadConfig(file, {})).toEqual(before)
  expect(readdirSync(folder)).toEqual(['caracal.yml'])
})

test('a missing file is created; one that cannot be created is named', () => {
  setPack(join(folder, 'new.yml'), 'disabled_packs', 'A', true)
  expect(loadConfig(join(folder, 'new.yml'), {}).disabled_packs).toEqual(['A'])
  expect(() => setPack(join(folder, 'none/new.yml'), 'disabled_packs', 'A', true)).toThrow(/cannot be written.*none\/new\.yml/)
})

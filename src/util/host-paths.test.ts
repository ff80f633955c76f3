import { tmpdir } from 'node:os'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromRoots, withoutHostPaths } from './host-paths.ts'

const hidden: readonly (readonly [text: string, shown: string])[] = [
  ["ENOENT: no such file or directory, open '/srv/caracal/state.db'", "ENOENT: no such file or directory, open '[path]'"],
  ['Cannot open file /var/lib/x/lake/store/1a2/data.bin: , errno: 13', 'Cannot open file [path]: , errno: 13'],
  ['(while reading from part /d/lake/store/abc/all_1_1_0/)', '(while reading from part [path])'],
  ['Path:/var/log/x,/etc/passwd;/a/b', 'Path:[path],[path];[path]'],
  ["open '/home/a b/c d.yml' failed", "open '[path]' failed"],
  ["open 'C:\\Users\\ann\\caracal\\x.db', or D:/data/y", "open '[path]', or [path]"],
  ['at file:///opt/caracal/dist/engine/start.js:12:3', 'at [path]'],
  [`it said: ${tmpdir()}/x y`, 'it said: [path] y'],
  ['the lake at /data is open in another process', 'the lake at [path] is open in another process'],
]

test.each(hidden)('%s', (text, shown) => {
  expect(withoutHostPaths(text, ['/data'])).toBe(shown)
})

test.each([
  'the API is documented at /api/v1/openapi.json',
  "send to '/ingest/default'",
  'see https://docs.example.org/a/b and http://127.0.0.1:8080/api/v1/query',
  'content/data_models/x.py and content/database.yml',
  'divide 1 / 2, a/b and logs/x/y; 5/6/7',
  'Unknown expression identifier `a/b` in ./content/rules/x.yml',
  "the query begins with 'SHOW': ask information_schema.tables",
])('%s is left unchanged', (text) => {
  expect(withoutHostPaths(text, ['/data'])).toBe(text)
})

test('no path below a known folder gets through, wherever it appears in the text', () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9_.-]{3,12}$/)
  fc.assert(
    fc.property(
      fc.array(name, { minLength: 1, maxLength: 4 }),
      fc.constantFrom('', ' ', '(', "'", '"', '=', ': ', 'x ', ','),
      fc.constantFrom('', ' ', ')', "'", '"', ':', ';', ', errno'),
      (names, before, after) => {
        const path = `/srv/of a customer/${names.join('/')}`
        const shown = withoutHostPaths(`the file${before === '' ? ' ' : before}${path}${after}`, ['/srv/of a customer'])
        expect(shown).not.toContain('customer')
        for (const part of names) expect(shown).not.toContain(part)
      },
    ),
    { seed: 20261128 },
  )
})

test('files below a content folder are shown relative to it, others unchanged', () => {
  const short = fromRoots(['/srv/content', '/srv/content/sub (1)', '/'])
  expect(short('/srv/content/rules/a.py:3 in rule: KeyError')).toBe('rules/a.py:3 in rule: KeyError')
  expect(short("'/srv/content/sub (1)/b.py' and /srv/content/c.py")).toBe("'b.py' and c.py")
  expect(short('/etc/passwd, /x/srv/content/a and /srv/contents/a')).toBe('/etc/passwd, /x/srv/content/a and /srv/contents/a')
})

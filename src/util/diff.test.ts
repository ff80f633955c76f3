import fc from 'fast-check'
import { expect, test } from 'vitest'
import { unifiedDiff } from './diff.ts'

/** Applies a unified diff. */
function patched(before: string, diff: string): string {
  const lines = before.match(/[^\n]*\n|[^\n]+$/g) ?? []
  const out: string[] = []
  let at = 0
  const parts = diff.match(/[^\n]*\n/g) ?? []
  for (const [i, part] of parts.entries()) {
    const line = parts[i + 1]?.startsWith('\\') ? part.slice(1, -1) : part.slice(1)
    if (part.startsWith('@@')) {
      const [, from = '', count = ''] = /^@@ -(\d+),(\d+) /.exec(part) ?? []
      const start = Number(from) - (Number(count) > 0 ? 1 : 0)
      out.push(...lines.slice(at, start))
      at = start
    } else if (part.startsWith('+')) out.push(line)
    else if (part.startsWith(' ') || part.startsWith('-')) {
      expect(lines[at]).toBe(line)
      at++
      if (part.startsWith(' ')) out.push(line)
    }
  }
  return [...out, ...lines.slice(at)].join('')
}

const text = fc
  .array(fc.constantFrom('a', 'b', 'c', '', '@@ -1,1 +1,1 @@', '-x', '+y'), { maxLength: 30 })
  .chain((lines) => fc.constantFrom(lines.join('\n'), lines.map((line) => `${line}\n`).join('')))

test('a diff turns one text into the other', () => {
  fc.assert(
    fc.property(text, text, (before, after) => {
      expect(patched(before, unifiedDiff(before, after))).toBe(after)
    }),
  )
})

test('it looks as people know it', () => {
  const before = Array.from({ length: 12 }, (_, i) => `line ${i + 1}\n`).join('')
  expect(unifiedDiff(before, before.replace('line 6', 'other'))).toBe(
    '@@ -3,7 +3,7 @@\n line 3\n line 4\n line 5\n-line 6\n+other\n line 7\n line 8\n line 9\n',
  )
  expect(unifiedDiff('a', 'a\n')).toBe('@@ -1,1 +1,1 @@\n-a\n\\ No newline at end of file\n+a\n')
  expect(unifiedDiff('', 'a\n')).toBe('@@ -0,0 +1,1 @@\n+a\n')
  expect(unifiedDiff('a\n', 'a\n')).toBe('')
})

test('texts that differ all over are replaced whole', () => {
  const [before, after] = ['a', 'b'].map((name) => Array.from({ length: 3000 }, (_, i) => `${name}${i}\n`).join(''))
  expect(patched(before!, unifiedDiff(before!, after!))).toBe(after)
})

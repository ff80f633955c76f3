/** Lines around a change. */
const CONTEXT = 3
/** Beyond this many pairs of lines to compare, what differs counts as replaced whole. */
const MAX_PAIRS = 4_000_000

type Edit = { readonly kind: ' ' | '-' | '+'; readonly line: string }

/** What turns one text into another, as a unified diff without file names; '' for equal texts. */
export function unifiedDiff(before: string, after: string): string {
  if (before === after) return ''
  const edits = editsOf(linesOf(before), linesOf(after))
  const changed = edits.flatMap(({ kind }, at) => (kind === ' ' ? [] : [at]))
  const hunks: [from: number, to: number][] = []
  for (const at of changed) {
    const last = hunks.at(-1)
    if (last && at - CONTEXT <= last[1]) last[1] = at + CONTEXT + 1
    else hunks.push([Math.max(0, at - CONTEXT), at + CONTEXT + 1])
  }
  return hunks.map(([from, to]) => hunkOf(edits, from, Math.min(to, edits.length))).join('')
}

function hunkOf(edits: readonly Edit[], from: number, to: number): string {
  const count = (kind: '-' | '+', end: readonly Edit[]) => end.filter((edit) => edit.kind === ' ' || edit.kind === kind).length
  const [above, inside] = [edits.slice(0, from), edits.slice(from, to)]
  const range = (kind: '-' | '+') => {
    const n = count(kind, inside)
    return `${count(kind, above) + (n > 0 ? 1 : 0)},${n}`
  }
  const lines = inside.map(({ kind, line }) =>
    line.endsWith('\n') ? `${kind}${line}` : `${kind}${line}\n\\ No newline at end of file\n`,
  )
  return `@@ -${range('-')} +${range('+')} @@\n${lines.join('')}`
}

/** Lines with their ends. */
function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? []
}

function editsOf(before: readonly string[], after: readonly string[]): Edit[] {
  let start = 0
  while (start < Math.min(before.length, after.length) && before[start] === after[start]) start++
  let end = 0
  const left = Math.min(before.length, after.length) - start
  while (end < left && before[before.length - 1 - end] === after[after.length - 1 - end]) end++
  const same = (lines: readonly string[]): Edit[] => lines.map((line) => ({ kind: ' ', line }))
  return [
    ...same(before.slice(0, start)),
    ...middle(before.slice(start, before.length - end), after.slice(start, after.length - end)),
    ...same(before.slice(before.length - end)),
  ]
}

/** By the longest common subsequence. */
function middle(before: readonly string[], after: readonly string[]): Edit[] {
  const [n, m] = [before.length, after.length]
  const removed = (lines: readonly string[]): Edit[] => lines.map((line) => ({ kind: '-', line }))
  const added = (lines: readonly string[]): Edit[] => lines.map((line) => ({ kind: '+', line }))
  if (n * m > MAX_PAIRS) return [...removed(before), ...added(after)]
  const width = m + 1
  const common = new Uint32Array((n + 1) * width)
  for (let i = n - 1; i >= 0; i--)
    for (let j = m - 1; j >= 0; j--)
      common[i * width + j] =
        before[i] === after[j]
          ? common[(i + 1) * width + j + 1]! + 1
          : Math.max(common[(i + 1) * width + j]!, common[i * width + j + 1]!)
  const edits: Edit[] = []
  let [i, j] = [0, 0]
  while (i < n && j < m) {
    if (before[i] === after[j]) {
      edits.push({ kind: ' ', line: before[i]! })
      i++
      j++
    } else if (common[(i + 1) * width + j]! >= common[i * width + j + 1]!) edits.push({ kind: '-', line: before[i++]! })
    else edits.push({ kind: '+', line: after[j++]! })
  }
  return [...edits, ...removed(before.slice(i)), ...added(after.slice(j))]
}

import { describe, expect, test } from 'vitest'
import { formatted, type TextFormat } from './result-formats.ts'

async function text(rows: readonly string[], format: TextFormat, isForSpreadsheet = false, names = ['a', 'b']): Promise<string> {
  async function* each() {
    yield* rows
  }
  let out = ''
  for await (const piece of formatted({ names, rows: each() }, format, isForSpreadsheet)) out += piece
  return out
}

const ROWS = ['[18446744073709551615, "x\\"y,z\\n"]', '[null, ""]', '[[1, 2], {"k":"v"}]']

test.each<[TextFormat, string]>([
  ['csv', 'a,b\r\n18446744073709551615,"x""y,z\n"\r\n,""\r\n"[1, 2]","{""k"":""v""}"\r\n'],
  ['ndjson', '{"a":18446744073709551615,"b":"x\\"y,z\\n"}\n{"a":null,"b":""}\n{"a":[1, 2],"b":{"k":"v"}}\n'],
  ['json', '[\n{"a":18446744073709551615,"b":"x\\"y,z\\n"},\n{"a":null,"b":""},\n{"a":[1, 2],"b":{"k":"v"}}\n]\n'],
  ['arrays', `${ROWS.join('\n')}\n`],
])('%s has every value exactly', async (format, expected) => {
  expect(await text(ROWS, format)).toBe(expected)
})

test('a result without rows is still whole', async () => {
  expect([await text([], 'csv'), await text([], 'json'), await text([], 'ndjson')]).toEqual(['a,b\r\n', '[]\n', ''])
})

test('a large result comes in pieces', async () => {
  async function* rows() {
    for (let n = 0; n < 10_000; n++) yield `[${n}, "${'x'.repeat(50)}"]`
  }
  let pieces = 0
  for await (const piece of formatted({ names: ['a', 'b'], rows: rows() }, 'ndjson')) {
    pieces++
    expect(piece.length).toBeLessThan(66_000)
  }
  expect(pieces).toBeGreaterThan(8)
})

describe('formulas in CSV', () => {
  const HOSTILE = ['=cmd|calc', '+1', '-1+1', '@SUM(1)', '\t=1', '＝1']
  const rows = HOSTILE.map((value) => JSON.stringify([-5, value]))

  test('are as in the log unless the caller wants them for a spreadsheet', async () => {
    expect(await text(rows, 'csv')).toContain('-5,=cmd|calc\r\n')
    const cells = (await text(rows, 'csv', true, ['a', '=b'])).split('\r\n').map((line) => line.split(',')[1])
    expect(cells.slice(0, -1)).toEqual(['=b', ...HOSTILE].map((value) => `'${value}`))
  })

  test('numbers stay numbers', async () => {
    expect(await text(['[-5, -1.5]'], 'csv', true)).toBe('a,b\r\n-5,-1.5\r\n')
  })
})

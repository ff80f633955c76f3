import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { JsonObject } from '../../model/json.ts'
import { defineTable } from '../../stages/enrich/definition.ts'
import { entriesOf } from '../../stages/enrich/versions/entries.ts'
import { editedContent, type RowEdits } from './row-edits.ts'

function table(about: object = {}, key: unknown = 'k') {
  const document = { AnalysisType: 'lookup_table', LookupName: 't', Filename: 't.csv', LogTypeMap: { PrimaryKey: key }, ...about }
  return { definition: defineTable(document, { file: '/x/t.yml' }), schema: undefined }
}

async function edit(text: string, edits: Partial<RowEdits>, { about = {}, key = 'k' as unknown, fileName = 't.csv' } = {}) {
  const content = { bytes: Buffer.from(text), fileName }
  return Buffer.from(await editedContent(table(about, key), content, { set: [], remove: [], ...edits })).toString()
}

test.each<[string, string, Partial<RowEdits>, string]>([
  ['the last line has no end', 'k,v\na,1', { set: [{ k: 'b', v: '2' }] }, 'k,v\na,1\nb,2\n'],
  ['lines of Windows', 'k,v\r\na,1\r\n', { set: [{ k: 'b', v: '2' }] }, 'k,v\r\na,1\r\nb,2\r\n'],
  ['comments and blank lines', '# one\nk,v\n\n# two\na,1\nb,2\n', { remove: [['a']] }, '# one\nk,v\n\n# two\nb,2\n'],
  ['a value of two lines', 'k,v\na,"1\n2"\nb,2\n', { set: [{ k: 'b', v: '3' }] }, 'k,v\na,"1\n2"\nb,3\n'],
  ['a row of another width', 'k,v\na\nb,2\n', { remove: [['b']] }, 'k,v\na\n'],
  ['several rows of the key', 'k,v\na,1\nb,2\na,3\n', { set: [{ k: 'a', v: '4' }] }, 'k,v\na,4\nb,2\n'],
  ['a value that looks like a comment', 'k,v\na,1\n', { set: [{ k: '#b', v: '' }] }, 'k,v\na,1\n"#b",\n'],
  ['numbers and missing values', 'k,v,w\na,1,\n', { set: [{ k: 2, w: true }] }, 'k,v,w\na,1,\n2,,true\n'],
])('CSV with %s', async (_, before, edits, after) => {
  expect(await edit(before, edits)).toBe(after)
})

test('keys are compared as the table compares them', async () => {
  expect(await edit('k,v\nA,1\n', { set: [{ k: 'a', v: '2' }] }, { about: { Match: 'ignore_case' } })).toBe('k,v\na,2\n')
  expect(await edit('k,v\n2001:db8::1,1\n', { remove: [['2001:DB8:0::1']] }, { about: { Match: 'ip' } })).toBe('k,v\n')
})

test('composite keys', async () => {
  const before = 'a,b,v\nx,1,p\nx,2,q\n'
  expect(await edit(before, { remove: [['x', '1']] }, { key: ['a', 'b'] })).toBe('a,b,v\nx,2,q\n')
  await expect(edit(before, { remove: [['x']] }, { key: ['a', 'b'] })).rejects.toThrow(/2 parts \(a, b\), not 1/)
})

test('JSON lines and JSON keep other rows as they are written, numbers of any length included', async () => {
  const lines = '{"k": "a", "n": 12345678901234567890}\n{"k":"b"}\n'
  const json = { fileName: 't.jsonl' }
  expect(await edit(lines, { set: [{ k: 'b', v: [1] }] }, json)).toBe(
    '{"k": "a", "n": 12345678901234567890}\n{"k":"b","v":[1]}\n',
  )
  const array = '[{"k": "a", "n": 12345678901234567890}, {"k":"b"}]'
  expect(await edit(array, { remove: [['b']] }, { fileName: 't.json' })).toBe('[\n  {"k": "a", "n": 12345678901234567890}\n]\n')
})

test('rows of other formats are not edited one by one', async () => {
  await expect(edit('192.0.2.1\n', { remove: [['192.0.2.1']] }, { fileName: 't.txt' })).rejects.toThrow(/content is list.*upload/)
})

test('after any edits, a CSV has the rows that a map would have', async () => {
  const key = fc.constantFrom('a', 'b', 'c', '#d', '"e"', 'f,g')
  const value = fc.string({ unit: 'grapheme', maxLength: 8 }).map((text) => text.replaceAll('\0', '').trim())
  await fc.assert(
    fc.asyncProperty(fc.array(fc.record({ k: key, v: value })), fc.array(fc.record({ k: key, v: value })), async (first, set) => {
      const start = await edit('k,v\nz,\n', { set: first })
      const text = await edit(start, { set })
      const expected = new Map([['z', ''], ...[...first, ...set].map(({ k, v }) => [k, v] as const)])
      const found = new Map<string, JsonObject>()
      const source = { bytes: Buffer.from(text), fileName: 't.csv' }
      for await (const batch of entriesOf(table(), source)) for (const one of batch) found.set(one.key, one.row)
      expect(found).toEqual(new Map([...expected].map(([k, v]) => [k, { k, v }])))
    }),
  )
})

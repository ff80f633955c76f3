import { expect, test } from 'vitest'
import { Lookups } from './lookups.ts'

const encode = (text: string) => new TextEncoder().encode(text)

function lookups() {
  const asked: string[] = []
  const all = new Lookups((mark, question) => {
    asked.push(`${mark} ${Buffer.from(question).toString()}`)
    return encode(`{"row":"${Buffer.from(question).toString()}"}`)
  })
  const find = (question: string, mark = 1) => {
    all.take(encode(question), mark)
    const part = new Uint8Array(4)
    let text = ''
    for (let size = all.read(part); size > 0; size = all.read(part)) text += Buffer.from(part.subarray(0, size)).toString()
    return text
  }
  return { all, asked, find }
}

test('an answer is kept as long as the tables have the same stamp', () => {
  const { all, asked, find } = lookups()
  for (const stamp of ['1', '1', '2', '2', '1']) {
    all.begin(stamp)
    expect([find('a'), find('a', 2)]).toEqual(['{"row":"a"}', '{"row":"a"}'])
  }
  expect(asked).toEqual(['1 a', '1 a', '1 a'])
})

test('without a stamp every question goes to the engine', () => {
  const { all, asked, find } = lookups()
  all.begin(undefined)
  find('a')
  find('a', 2)
  expect(asked).toEqual(['1 a', '2 a'])
})

test('a call may read 1000 rows, whether they are kept or not', () => {
  const { all, find } = lookups()
  for (const name of ['a', 'b']) {
    all.begin('1')
    for (const mark of [1, 2]) {
      for (let i = 0; i < 1000; i++) expect(find(name, mark)).toBe(`{"row":"${name}"}`)
      expect(find(name, mark)).toBe('{"problem":"one call can read at most 1000 rows"}')
    }
  }
})

test('nothing is read outside of a call', () => {
  const { all, asked, find } = lookups()
  all.begin('1')
  expect(find('a', 0)).toBe('{"problem":"only functions of rules can read tables"}')
  expect(asked).toEqual([])
})

test('a limited number of answers is kept: the oldest go', () => {
  const { all, asked, find } = lookups()
  all.begin('1')
  for (let i = 0; i <= 10_000; i++) find(`k${i}`, i + 1)
  find('k10000')
  find('k0')
  expect(asked.slice(10_001)).toEqual(['1 k0'])
})

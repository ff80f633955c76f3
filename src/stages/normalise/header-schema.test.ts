import { expect, test } from 'vitest'
import { HeaderSchemas } from './header-schema.ts'

const header = [
  { name: 'ts', type: 'time' },
  { name: 'n', type: 'count' },
]

/** How many of the log types that a source requests are granted. */
function made(schemas: HeaderSchemas, sourceId: string, count: number): number {
  const results = Array.from({ length: count }, (_, i) => schemas.get(`Zeek.${sourceId}${i}`, header, sourceId))
  return results.filter((result) => typeof result === 'object').length
}

test('a source that invents log types leaves every other source its own share', () => {
  const schemas = new HeaderSchemas()
  expect(made(schemas, 'Flood', 1000)).toBe(100)
  expect(made(schemas, 'Quiet', 1000)).toBe(20)
  expect(made(schemas, 'Late', 5)).toBe(5)
  expect(schemas.get('Zeek.Flood1000', header, 'Flood')).toMatch(/this source has used up its share/)
})

test('log types made by one source do not count against another', () => {
  const schemas = new HeaderSchemas()
  const [first] = [schemas.get('Zeek.Odd', header, 'a')]
  expect(schemas.get('Zeek.Odd', header, 'Other')).toBe(first)
  expect(made(schemas, 'Other', 1000)).toBe(100)
})

test('an endless stream of headers for one log type is refused, too', () => {
  const schemas = new HeaderSchemas()
  const results = Array.from({ length: 500 }, (_, i) =>
    schemas.get('Zeek.Wide', [...header, { name: `f${i}`, type: 'string' }], 'a'),
  )
  expect(results.filter((result) => typeof result === 'object').length).toBe(400)
})

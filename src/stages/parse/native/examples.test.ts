import { expect, test } from 'vitest'
import { nativeParsers } from './index.ts'
import { HEADER } from './native.ts'

test.each(nativeParsers.map((p) => [p.type, p] as const))('%s example', (_, p) => {
  expect(p.example.texts.map((t) => p.parse(t)).filter((r) => r !== HEADER)).toEqual(p.example.records)
})

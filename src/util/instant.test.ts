import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isBefore } from './instant.ts'

test('times are ordered whatever the length of their fractions', () => {
  const fraction = fc.nat(999_999_999).map((nanos) => [nanos, String(nanos).padStart(9, '0').replace(/0+$/, '')] as const)
  const time = fc
    .tuple(fc.constantFrom('2024-01-01T00:00:00', '2024-01-01T00:00:01'), fraction)
    .map(([seconds, [nanos, digits]]) => [`${seconds}${digits && `.${digits}`}Z`, `${seconds} ${nanos}`.padEnd(30)] as const)
  const key = (text: string) => text.replace(/ (\d+) *$/, (_, nanos: string) => nanos.padStart(9, '0'))
  fc.assert(
    fc.property(time, time, ([a, aKey], [b, bKey]) => {
      expect(isBefore(a, b)).toBe(key(aKey) < key(bKey))
    }),
    { seed: 22 },
  )
})

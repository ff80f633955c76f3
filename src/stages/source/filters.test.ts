import { expect, test } from 'vitest'
import { z } from 'zod'
import { filterShape } from './filters.ts'

const shape = z.strictObject(filterShape)

test('the examples of the description are valid', () => {
  const filters = [
    { name: 'health checks', exclude: { contains: ['GET /healthz'] } },
    { name: 'errors only', include: { log_types: ['Nginx.Access'], where: [{ field: 'status', above: 399 }] } },
  ]
  expect(shape.parse({ filters, sampling: { keep: 0.1, log_types: ['AWS.VPCFlow'] } }).filters).toEqual(filters)
})

test.each<[object, string]>([
  [{ name: 'a' }, 'needs either `exclude` or `include`'],
  [{ name: 'a', exclude: {}, include: {} }, 'write two filters for both'],
  [{ name: 'a', exclude: { contains: ['a'], log_types: ['X'] } }, 'write two filters for both'],
  [{ name: 'a', exclude: { matches: '(' } }, 'missing closing )'],
  [{ name: 'a', exclude: { where: [{ field: 'a' }] } }, 'needs a test'],
  [{ name: 'a', exclude: { where: [{ field: 'a', networks: ['10.0.0.0/99'] }] } }, 'Invalid'],
  [{ name: 'a', exclude: { where: [{ field: 'a', equals: 1 }] } }, 'Unrecognized key: "equals"'],
])('%j is refused', (filter, message) => {
  expect(JSON.stringify(shape.safeParse({ filters: [filter] }).error?.issues)).toContain(message.replaceAll('"', '\\"'))
})

test.each([0, 1, 2])('a share of %d is refused', (keep) => {
  expect(shape.safeParse({ sampling: { keep } }).success).toBe(false)
})

import { describe, expect, test } from 'vitest'
import { serviceOf } from '../../src/stages/enrich/live/services/index.ts'
import type { Service } from '../../src/stages/enrich/live/services/service.ts'
import { TableError } from '../../src/stages/enrich/table.ts'
import { failedBy, testSuite } from './behaviours.ts'
import { serviceSuite } from './services.ts'

testSuite(serviceSuite)

const whole = serviceOf('abuseipdb')

describe('the suite fails a service that', () => {
  test.each<[string, Partial<Service>, string]>([
    [
      'sends the key itself',
      { request: (...given) => ({ ...whole.request(...given), headers: { key: 's3cr3t' } }) },
      'sends the addresses to its URL, and no key',
    ],
    [
      'goes to another host',
      { request: (addresses) => whole.request(addresses, 'https://other.test') },
      'sends the addresses to its URL, and no key',
    ],
    [
      'has a row for every address',
      { read: (response, addresses) => new Map(addresses.map((ip) => [ip, whole.read(response, addresses).get(ip) ?? { ip }])) },
      'has a row for a bad address, under its address, and none for another',
    ],
    [
      'takes an error page for "nothing known"',
      {
        read: (response, addresses) =>
          response.status === 404 ? new Map(addresses.map((ip) => [ip, undefined])) : whole.read(response, addresses),
      },
      'refuses what is not its answer, without quoting it',
    ],
    [
      'quotes what it cannot read',
      {
        read: (response, addresses) => {
          try {
            return whole.read(response, addresses)
          } catch {
            throw new TableError(Buffer.from(response.body).toString())
          }
        },
      },
      'refuses what is not its answer, without quoting it',
    ],
  ])('%s', async (_, fault, name) => {
    expect(await failedBy(serviceSuite.behaviours, () => ({ ...whole, ...fault }))).toEqual([name])
  })
})

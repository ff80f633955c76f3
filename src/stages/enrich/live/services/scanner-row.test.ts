import { expect, test } from 'vitest'
import { serviceOf } from './index.ts'

const read = (service: string, body: object) =>
  serviceOf(service)
    .read({ status: 200, body: Buffer.from(JSON.stringify(body)) }, ['8.8.8.8'])
    .get('8.8.8.8')

test.each([true, false])('an address of a known service has a row only if it was seen to scan: %s', (isSeen) => {
  const community = { ip: '8.8.8.8', noise: isSeen, riot: true, classification: 'benign', name: 'A service', message: 'Success' }
  const multi = {
    ip: '8.8.8.8',
    business_service_intelligence: { found: true, name: 'A service', trust_level: '1' },
    internet_scanner_intelligence: { found: isSeen, classification: 'benign' },
  }
  const row = { ip: '8.8.8.8', noise: true, riot: true, classification: 'benign', name: 'A service' }
  for (const found of [read('greynoise_community', community), read('greynoise', { data: [multi] })])
    if (isSeen) expect(found).toMatchObject(row)
    else expect(found).toBeUndefined()
})

test('an answer about another address than those asked for is not used', () => {
  const multi = { ip: '9.9.9.9', internet_scanner_intelligence: { found: true, classification: 'malicious' } }
  expect(read('greynoise', { data: [multi] })).toBeUndefined()
})

import { strict as assert } from 'node:assert'
import { services } from '../../src/stages/enrich/live/services/index.ts'
import type { Service } from '../../src/stages/enrich/live/services/service.ts'
import { TableError } from '../../src/stages/enrich/table.ts'
import { RESPONSES, type Response } from '../support/service-answers.ts'
import type { Behaviour, Suite } from './behaviours.ts'

const BASE = 'https://service.test/base'
const BAD = '45.148.10.1'
const GOOD = '8.8.4.4'
const SIX = '2a02:4780::4'

function responsesOf({ type }: Service) {
  const responses = RESPONSES[type]
  if (!responses) throw new Error(`add what service '${type}' answers to RESPONSES in test/support/service-answers.ts`)
  return responses
}

const read = (service: Service, { status, body }: Response, addresses: readonly string[]) =>
  service.read({ status, body: Buffer.from(body) }, addresses)

const known = ({ hasIpv6 }: Service) => [BAD, GOOD, ...(hasIpv6 ? [SIX] : [])]

/** As many of these addresses as fit into one request, one request after another. */
function* requestsFor(service: Service, addresses: readonly string[]) {
  for (let i = 0; i < addresses.length; i += service.atOnce) yield addresses.slice(i, i + service.atOnce)
}

const behaviours: readonly Behaviour<Service>[] = [
  {
    name: 'sends the addresses to its URL, and no key',
    check: (service) => {
      for (const some of requestsFor(service, known(service))) {
        const request = service.request(some, BASE)
        assert.ok(request.url.startsWith(`${BASE}/`), request.url)
        assert.deepEqual(responsesOf(service).addressesOf({ url: request.url, body: request.body ?? '' }), some)
        assert.ok(!Object.keys(request.headers).some((name) => name.toLowerCase() === service.keyHeader.toLowerCase()))
      }
    },
  },
  {
    name: 'has a row for a bad address, under its address, and none for another',
    check: (service) => {
      for (const some of requestsFor(service, known(service))) {
        const response = responsesOf(service).answer(some, (address) => address !== GOOD)
        const verdicts = read(service, response, some)
        assert.deepEqual([...verdicts.keys()].sort(), [...some].sort())
        for (const address of some) assert.equal(verdicts.get(address)?.['ip'], address === GOOD ? undefined : address)
      }
    },
  },
  {
    name: 'refuses what is not its answer, without quoting it',
    check: (service) => {
      const cut = responsesOf(service)
        .answer([BAD], () => true)
        .body.slice(0, -20)
      for (const [status, body] of [
        [200, '<html>s3cr3t</html>'],
        [404, '<html>s3cr3t</html>'],
        [404, '{"message":"s3cr3t: no such route"}'],
        [200, '{"s3cr3t":true}'],
        [200, '[]'],
        [200, ''],
        [302, ''],
        [400, '{"message":"s3cr3t"}'],
        [200, cut],
      ] as const)
        assert.throws(
          () => read(service, { status, body }, [BAD]),
          (error: unknown) => error instanceof TableError && !error.message.includes('s3cr3t'),
          `status ${status}: ${body}`,
        )
    },
  },
]

/** Behaviours required of every service that live tables ask. */
export const serviceSuite: Suite<Service, Service> = {
  kind: 'service',
  registry: services,
  subjectOf: (service) => service,
  behaviours,
}

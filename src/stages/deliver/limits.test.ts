import { expect, test } from 'vitest'
import { outgoingAlert } from '../../../test/support/alerts.ts'
import { fittings } from '../../../test/support/vendors.ts'
import type { OutgoingAlert } from '../../model/outgoing-alert.ts'
import { connectNowhere } from '../../util/http/open-socket.ts'
import { createDestination, type DestinationConfig, destinations } from './index.ts'

/** Bytes of a request, and UTF-16 units of fields, by the vendors' documentation. */
const LIMITS: Readonly<Record<string, { max: number; of: Record<string, number> }>> = {
  slack: { max: 40_000, of: { 'blocks.0.text.text': 150, 'blocks.1.elements.1.elements.2.url': 3000 } },
  discord: { max: 40_000, of: { 'embeds.0.title': 256, 'embeds.0.description': 4096 } },
  msteams: { max: 28_000, of: {} },
  mattermost: { max: 70_000, of: { text: 16_383 } },
  // A message of more than 4,096 bytes becomes an attachment; the body may have twice as many.
  ntfy: { max: 8192, of: { title: 250, message: 4096 } },
  telegram: { max: 40_000, of: { text: 4096 } },
  pagerduty: { max: 512_000, of: { 'payload.summary': 1024 } },
  opsgenie: { max: 100_000, of: { message: 130, description: 15_000, 'tags.0': 50 } },
  incidentio: { max: 100_000, of: { title: 500 } },
  jira: { max: 200_000, of: { 'fields.summary': 255 } },
  github: { max: 300_000, of: { title: 256, body: 65_536 } },
  servicenow: { max: 100_000, of: { short_description: 160, description: 4000 } },
  asana: { max: 300_000, of: { 'data.name': 1000, 'data.notes': 65_535 } },
}

/** The body of the request that opens an alert. */
async function bodyOf(type: string, way: number, alert: Partial<OutgoingAlert>): Promise<string> {
  const fitting = fittings[type]![way]!
  const server = 'http://127.0.0.1:1'
  const config = destinations.find((one) => one.type === type)!.config.parse({ id: 'x', ...fitting.config(server) })
  const bodies: string[] = []
  const destination = await createDestination({ ...config, type } as unknown as DestinationConfig, {
    send: async ({ body }) => {
      bodies.push(String(body))
      throw new Error('nothing answers')
    },
    socket: connectNowhere,
    trusted: {},
    now: Date.now,
    write: () => {},
    secret: (name) => ('env' in name ? fitting.secrets(server)[name.env!]! : ''),
  })
  const delivery = { id: 'd1', kind: 'opened' as const, alert: outgoingAlert(alert) }
  await expect(destination.send(delivery, AbortSignal.timeout(5000))).rejects.toThrow('unexpected error')
  expect(bodies).toHaveLength(1)
  return bodies[0]!
}

/** Characters that are longer in UTF-8, in UTF-16 or in JSON than they look. */
const CHARACTERS = ['x', '€', '😀x', '"', '\u202e', 'https://a ']
const FIELDS =
  'usernames emails actor_ids ip_addresses domain_names aws_account_ids aws_arns sha256_hashes sha1_hashes md5_hashes'.split(' ')

const WAYS = Object.keys(LIMITS).flatMap((type) => fittings[type]!.map((_, way) => [type, way] as const))
test.each(WAYS)('%s, way %i: an alert is cut to what the vendor accepts, between characters', async (type, way) => {
  for (const char of CHARACTERS) {
    const long = char.repeat(40_000)
    const json = await bodyOf(type, way, {
      title: long,
      name: long,
      description: long,
      runbook: long,
      reference: `https://example.com/${'_'.repeat(640)}`,
      tags: [long, ...Array(60).fill('t')],
      logTypes: [long],
      sourceLabels: [long],
      indicators: Object.fromEntries(FIELDS.map((field) => [`p_any_${field}`, Array(6).fill(long)])),
    })
    const { max, of } = LIMITS[type]!
    expect(Buffer.byteLength(json), char).toBeLessThanOrEqual(max)
    const body: unknown = JSON.parse(json)
    for (const [path, limit] of Object.entries(of)) {
      const value = path.split('.').reduce<unknown>((at, key) => (at as Record<string, unknown>)?.[key], body)
      expect(typeof value, path).toBe('string')
      expect((value as string).length, `${path} of ${char}`).toBeLessThanOrEqual(limit)
    }
    for (const part of strings(body)) expect(part.isWellFormed()).toBe(true)
  }
})

test('the limit of every destination for people is tested', () => {
  const others = ['stdout', 'webhook', 'splunk_hec', 'syslog', 'file', 'sns', 'sqs', 'caracal', 'email']
  const tested = destinations.map(({ type }) => type as string).filter((type) => !others.includes(type))
  expect(Object.keys(LIMITS).sort()).toEqual(tested.sort())
})

test.each(['telegram', 'mattermost', 'discord', 'msteams'])('%s: a long reference is sent whole', async (type) => {
  const reference = `https://example.com/${'_'.repeat(640)}`
  const json = await bodyOf(type, 0, { description: 'x'.repeat(40_000), reference })
  expect(json).toContain(reference.replaceAll('_', '%5F'))
})

function strings(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(strings) : []
}

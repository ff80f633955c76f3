import { z } from 'zod'
import { secretReference } from '../../../util/secret.ts'

/** Where a value is in a JSON value: names of members separated by dots, or a list of names if they contain dots. '' is the whole value. */
const path = z.union([z.string().max(500), z.array(z.string().min(1).max(200)).min(1).max(10)])
const name = z.string().min(1).max(200)
const headerName = z.string().regex(/^[\w!#$%&'*+.^`|~-]{1,100}$/, 'the name of an HTTP header')
const template = z.string().min(1).max(4000)
const url = template.regex(/^https?:\/\/[^\s/]/i, 'an http or https URL')

const auth = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('bearer'),
    token: secretReference.describe('The token.'),
    scheme: z
      .string()
      .regex(/^[\w-]{1,40}$/, 'one word')
      .default('Bearer')
      .describe('Word before the token in the header Authorization.'),
  }),
  z.strictObject({
    type: z.literal('basic'),
    username: z.union([z.string().min(1), secretReference]).describe('User name.'),
    password: secretReference.describe('Password.'),
  }),
  z.strictObject({
    type: z.literal('header'),
    name: headerName.describe('Header that contains the key, as in `X-Api-Key`.'),
    value: secretReference.describe('The key.'),
  }),
  z.strictObject({
    type: z.literal('oauth2'),
    token_url: url.describe('Where tokens come from.'),
    client_id: z.union([z.string().min(1), secretReference]).describe('Id of the client.'),
    client_secret: secretReference.describe('Secret of the client.'),
    scope: z.string().max(2000).optional().describe('Scopes to request, separated by spaces.'),
    parameters: z
      .record(name, z.string().max(2000))
      .default({})
      .describe('Further parameters of the request for a token, such as `audience`.'),
    client_auth: z
      .enum(['body', 'basic'])
      .default('body')
      .describe('How id and secret are sent: in the `body`, or in the header Authorization (`basic`).'),
  }),
  z.strictObject({
    type: z.literal('service_account'),
    key: secretReference.describe('Key file of a Google service account, JSON.'),
    subject: z.string().max(320).optional().describe('User for whom the account acts (domain-wide delegation).'),
    scopes: z.array(z.string().min(1).max(300)).min(1).max(20).describe('Scopes to request.'),
  }),
])

const mayBeMissing = z
  .boolean()
  .default(false)
  .describe('Whether the service leaves the list out of an answer when it is empty. Default: such an answer is a failure.')

const records = z
  .strictObject({
    path: path
      .default('')
      .describe('Member of the answer that has the list of records, as in `data.items`. Default: the answer is the list.'),
    may_be_missing: mayBeMissing,
    format: z
      .enum(['json', 'ndjson'])
      .default('json')
      .describe('`json`: a list in one JSON value; `ndjson`: a JSON object on each line.'),
    id: z
      .union([z.string().min(1).max(500), z.array(z.string().min(1).max(500)).min(1).max(10)])
      .optional()
      .describe('Members that identify a record; one that was read before is left out. Default: its whole text.'),
    split: name
      .optional()
      .describe('Member with a list: each of its elements is an event, with the other members of the record.'),
    named_values: name
      .optional()
      .describe('Member with a list of objects with a `name` and a value: it becomes an object of values by name.'),
    fields: z
      .record(name, z.union([path, z.strictObject({ value: z.json().describe('A fixed value.') })]))
      .optional()
      .describe(
        'Builds the event from these members: its own name, and the path in the record (`""`: the whole record) or a fixed value.',
      ),
  })
  .prefault({})

const paging = z
  .discriminatedUnion('type', [
    z.strictObject({ type: z.literal('none') }),
    z.strictObject({ type: z.literal('link') }),
    z.strictObject({
      type: z.literal('url'),
      path: path.optional().describe('Member of the answer with the URL of the next page.'),
      header: headerName.optional().describe('Header of the answer with the URL of the next page.'),
    }),
    z.strictObject({
      type: z.literal('cursor'),
      path: path.describe('Member of the answer with the next cursor.'),
      parameter: name.describe('Name of the parameter that the cursor is sent in.'),
      in: z.enum(['query', 'body']).default('query').describe('Where the parameter is sent; the body is a JSON object.'),
      replaces: z.array(name).max(20).default([]).describe('Parameters that are left out when a cursor is sent.'),
      more: path
        .optional()
        .describe('Member of the answer that is true if there is another page. Default: there is one if there is a cursor.'),
      keep: z
        .boolean()
        .default(false)
        .describe(
          'Whether the last cursor also continues at the next poll. Default: the next poll begins with a new window of time.',
        ),
    }),
    z.strictObject({
      type: z.literal('page'),
      parameter: name.describe('Name of the query parameter with the number of the page.'),
      first: z.int().min(0).max(1).default(1).describe('Number of the first page.'),
      size: z.int().min(1).max(100_000).describe('Records on a full page; a page with fewer is the last.'),
    }),
  ])
  .default({ type: 'none' })

const window = z.strictObject({
  format: z
    .enum(['iso', 'iso_seconds', 'iso_local', 'unix', 'unix_ms'])
    .default('iso')
    .describe(
      'How {since} and {until} are written: `iso` (2024-05-01T10:00:00.000Z), `iso_seconds` (without fractions), `iso_local` (without fractions and Z, UTC), `unix` (seconds), `unix_ms`.',
    ),
  overlap_minutes: z
    .int()
    .min(0)
    .max(7 * 1440)
    .default(10)
    .describe('How far a poll goes back before the end of the last one, for records that appear late.'),
  delay_seconds: z.int().min(0).max(86_400).default(0).describe('How long before the present a window ends.'),
  max_hours: z
    .int()
    .min(1)
    .max(24 * 31)
    .default(24)
    .describe('Longest window of one request, in hours; what is longer takes several.'),
  reach_hours: z
    .int()
    .min(1)
    .max(24 * 3660)
    .optional()
    .describe('How far back the service has records, in hours. What is older is never requested.'),
})

/** How to ask a service for its records. */
export const requestShape = {
  url: url.describe('URL of the list. `{since}` and `{until}` in it are replaced with the window of time.'),
  method: z.enum(['GET', 'POST']).default('GET').describe('HTTP method.'),
  headers: z.record(headerName, z.string().max(4000)).default({}).describe('Further headers. Secrets belong in `auth`.'),
  body: z
    .record(z.string(), z.json())
    .optional()
    .describe('JSON object to send with POST. `{since}` and `{until}` in its texts are replaced.'),
  records: records.describe('Where the records are in an answer.'),
  paging: paging.describe('How the next page is requested.'),
  window: window.optional().describe('The window of time of each poll. Default: each poll reads all that there is.'),
  list: z
    .strictObject({
      path: path.default('').describe('Member of the answer that has the list. Default: the answer is the list.'),
      may_be_missing: mayBeMissing,
      url: path.describe('Member of an element with the URL to fetch.'),
      id: name.describe('Member that identifies an element; one that was fetched before is left out.'),
      parameters: z.record(name, z.string().max(1000)).default({}).describe('Query parameters to add to these URLs.'),
    })
    .optional()
    .describe('If the answer does not have the records, but a list of URLs whose answers have them.'),
  before: z
    .strictObject({
      url: url.describe('URL.'),
      method: z.enum(['GET', 'POST']).default('POST').describe('HTTP method.'),
      accept: z.array(z.string().max(100)).max(10).default([]).describe('Error codes in a refusal that mean that all is well.'),
      when: z
        .array(z.string().max(100))
        .max(10)
        .optional()
        .describe('Error codes of the list that the request is an answer to. Default: it is sent once after each start.'),
    })
    .optional()
    .describe('A request to send before the first poll, such as the start of a subscription.'),
} as const

export const authShape = auth

/** One list of a service: how it is requested, and the log types of its records. */
export const streamSpec = z.strictObject({
  name: z.string().min(1).max(200),
  log_types: z.array(z.string()).default([]),
  ...requestShape,
})

export type StreamSpec = z.output<typeof streamSpec>
export type AuthSpec = z.output<typeof auth>
export type RecordsSpec = StreamSpec['records']
export type PagingSpec = StreamSpec['paging']
export type WindowSpec = NonNullable<StreamSpec['window']>
export type JsonPath = z.output<typeof path>

/** The names in a path. */
export function namesIn(at: JsonPath): readonly string[] {
  if (typeof at !== 'string') return at
  const text = at.replace(/^\$\.?/, '')
  return text === '' ? [] : text.split('.')
}

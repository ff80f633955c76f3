import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../src/util/entry.ts'
import type { ApiAnswer, ApiRequest } from './api.ts'

/**
 * The APIs that presets poll, as their documentation (named in each preset) describes them: what they require of a request, how they page,
 * and what an answer looks like. Below its first part, a path is the service's own. What a service would refuse is answered with 400.
 */

type Record = { readonly [member: string]: unknown }

/** A record of a service, and when the service had it. */
interface Held {
  readonly atMs: number
  readonly record: Record
}

export const SECRET = 's3cr3t'
const TENANT = '00000000-0000-0000-0000-000000000202'
const PAGE = 3
const BAD: ApiAnswer = { status: 400, json: { error: { code: 'BadRequest' } } }

/** The sample of a pack, as many times as wanted, each with its own id. */
function samples(file: string, from: number, count: number, change: (record: Record, id: string) => Record): Held[] {
  const [line] = readFileSync(join(packageRoot(), 'packs', file), 'utf8').split('\n')
  const record = JSON.parse(line!) as Record
  return Array.from({ length: count }, (_, i) => ({
    atMs: Date.now() - 60_000 * (i % 5),
    record: change(record, `id-${from + i}`),
  }))
}

const GOOGLE = generateKeyPairSync('rsa', { modulusLength: 2048 })

/** The key file of the service account. */
export function googleKey(url: string): string {
  const private_key = GOOGLE.privateKey.export({ type: 'pkcs8', format: 'pem' })
  return JSON.stringify({
    type: 'service_account',
    client_email: 'logs@example.com',
    private_key,
    token_uri: `${url}/google/token`,
  })
}

/** One list of one service. */
export class VendorList {
  readonly held: Held[] = []
  readonly #make: (from: number, count: number) => Held[]
  #made = 0

  constructor(make: (from: number, count: number) => Held[]) {
    this.#make = make
  }

  /** Something happens at the service. */
  add(count: number): void {
    this.held.push(...this.#make(this.#made, count))
    this.#made += count
  }

  between(sinceMs: number, untilMs: number): Record[] {
    return this.held.filter(({ atMs }) => atMs >= sinceMs && atMs <= untilMs).map(({ record }) => record)
  }
}

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/
const at = (text: string | null | undefined, form: RegExp) => (text && form.test(text) ? Date.parse(text) : Number.NaN)
const hasTimes = (...times: number[]) => times.every((ms) => Number.isFinite(ms))
const pageAt = (records: Record[], from: number, size = PAGE) => ({
  items: records.slice(from, from + size),
  next: from + size < records.length ? from + size : undefined,
})

/** All services, at one URL. */
export class VendorApis {
  readonly lists = {
    okta: this.#list('okta/samples/systemlog.ndjson', (record, uuid) => ({ ...record, uuid })),
    github: this.#list('github/samples/audit.ndjson', (record, id) => ({ ...record, _document_id: id })),
    login: this.#list('gsuite/samples/activityevent.ndjson', activity),
    drive: this.#list('gsuite/samples/activityevent.ndjson', activity),
    exchange: this.#list('microsoft365/samples/exchange.ndjson', (record, Id) => ({ ...record, Id })),
    general: this.#list('microsoft365/samples/general.ndjson', (record, Id) => ({ ...record, Id })),
    signIns: this.#list('azure/samples/audit.ndjson', signIn),
    directoryAudits: this.#list('azure/samples/audit.ndjson', directoryAudit),
    slack: this.#list('slack/samples/auditlogs.ndjson', (record, id) => ({ ...record, id })),
    signinattempts: this.#list('onepassword/samples/signinattempt.ndjson', (record, uuid) => ({ ...record, uuid })),
    itemusages: this.#list('onepassword/samples/itemusage.ndjson', (record, uuid) => ({ ...record, uuid })),
    auditevents: this.#list('onepassword/samples/auditevent.ndjson', (record, uuid) => ({ ...record, uuid })),
    cloudflare: this.#list('cloudflare/samples/audit.ndjson', cloudflareEntry),
  }
  readonly url: string
  /** Number of the newest token; others are refused. */
  token = 1
  readonly #limited = new Set<string>()
  readonly #subscribed = new Set<string>()

  constructor(url: string) {
    this.url = url
  }

  #list(file: string, change: (record: Record, id: string) => Record): VendorList {
    return new VendorList((from, count) => samples(file, from, count, change))
  }

  answer(request: ApiRequest): ApiAnswer {
    const [, service = '', ...rest] = request.path.split('/')
    const path = `/${rest.join('/')}`
    if (service === 'login' || path === '/token') return this.#issue(request, path)
    // The first request to each service comes at a bad time.
    if (!this.#limited.has(service)) {
      this.#limited.add(service)
      return { status: 429, headers: { 'retry-after': '1' } }
    }
    const scheme = service === 'okta' ? 'SSWS' : 'Bearer'
    const expected = ['google', 'm365', 'graph'].includes(service) ? `t${this.token}` : SECRET
    if (request.headers.authorization !== `${scheme} ${expected}`)
      return { status: 401, json: { error: { code: 'InvalidToken' } } }
    const handler = HANDLERS[service]
    return handler ? handler(this, { ...request, path }, this.#subscribed) : { status: 404 }
  }

  #issue({ method, body }: ApiRequest, path: string): ApiAnswer {
    const form = new URLSearchParams(body)
    const isGood = path === '/token' ? isSigned(form.get('assertion') ?? '') : isClient(path, form)
    if (method !== 'POST' || !isGood) return { status: 400, json: { error: 'invalid_grant' } }
    return { json: { access_token: `t${this.token}`, expires_in: 3599, token_type: 'Bearer' } }
  }
}

function isSigned(assertion: string): boolean {
  const [header = '', claims = '', signature = ''] = assertion.split('.')
  const { sub, scope } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { sub: string; scope: string }
  const isRight = sub === 'admin@example.com' && scope === 'https://www.googleapis.com/auth/admin.reports.audit.readonly'
  const key = createPublicKey(GOOGLE.publicKey.export({ type: 'spki', format: 'pem' }))
  return isRight && verify('RSA-SHA256', Buffer.from(`${header}.${claims}`), key, Buffer.from(signature, 'base64url'))
}

function isClient(path: string, form: URLSearchParams): boolean {
  const isScope = /^http:\/\/127\.0\.0\.1:\d+\/(m365|graph)\/\.default$/.test(form.get('scope') ?? '')
  const isGood =
    form.get('grant_type') === 'client_credentials' && form.get('client_id') === 'app' && form.get('client_secret') === SECRET
  return path === `/${TENANT}/oauth2/v2.0/token` && isGood && isScope
}

type Handler = (apis: VendorApis, request: ApiRequest, subscribed: Set<string>) => ApiAnswer

const HANDLERS: Readonly<Record2<Handler>> = {
  okta({ lists, url }, { path, query }) {
    const [since, until] = [at(query.get('since'), ISO), at(query.get('until'), ISO)]
    if (path !== '/api/v1/logs' || !hasTimes(since, until) || query.get('limit') !== '1000') return BAD
    const { items, next } = pageAt(lists.okta.between(since, until), Number(query.get('after') ?? 0))
    const self = `${url}/okta/api/v1/logs?${query}`
    query.set('after', String(next))
    const link =
      next === undefined ? `<${self}>; rel="self"` : `<${self}>; rel="self", <${url}/okta/api/v1/logs?${query}>; rel="next"`
    return { json: items, headers: { link } }
  },
  github({ lists, url }, { path, query, headers }) {
    const [, from, to] = /^created:(\S+)\.\.(\S+)$/.exec(query.get('phrase') ?? '') ?? []
    const [since, until] = [at(from, ISO), at(to, ISO)]
    const isRight = /^\/(orgs\/acme|enterprises\/acme-inc)\/audit-log$/.test(path) && query.get('include') === 'all'
    if (!isRight || !hasTimes(since, until) || headers['x-github-api-version'] === undefined) return BAD
    const { items, next } = pageAt(lists.github.between(since, until + 1000), Number(query.get('after') ?? 0))
    query.set('after', String(next))
    const link =
      next === undefined ? {} : { link: `<${url}/github${path}?${query}>; rel="next", <${url}/github${path}>; rel="first"` }
    return { json: items, headers: link }
  },
  google({ lists }, { path, query }) {
    const app = /^\/admin\/reports\/v1\/activity\/users\/all\/applications\/(login|drive)$/.exec(path)?.[1]
    const [since, until] = [at(query.get('startTime'), ISO), at(query.get('endTime'), ISO)]
    if (app === undefined || !hasTimes(since, until)) return BAD
    const { items, next } = pageAt(lists[app as 'login' | 'drive'].between(since, until), Number(query.get('pageToken') ?? 0))
    const list = items.length > 0 ? { items } : {}
    const page = { kind: 'admin#reports#activities', ...list, ...(next !== undefined && { nextPageToken: String(next) }) }
    return { text: JSON.stringify(page, undefined, 2) }
  },
  m365({ lists, url }, { path, query, method }, subscribed) {
    const base = `/api/v1.0/${TENANT}/activity/feed`
    const type = query.get('contentType') ?? ''
    if (query.get('PublisherIdentifier') !== TENANT) return BAD
    if (path === `${base}/subscriptions/start`) {
      if (method !== 'POST') return BAD
      if (subscribed.has(type)) return { status: 400, json: { error: { code: 'AF20024', message: 'already enabled' } } }
      subscribed.add(type)
      return { json: { contentType: type, status: 'enabled', webhook: null } }
    }
    const list = { 'Audit.Exchange': lists.exchange, 'Audit.General': lists.general }[type]
    const [, blob] = path.split(`${base}/audit/`)
    if (blob !== undefined) return { json: JSON.parse(Buffer.from(blob, 'base64url').toString()) }
    if (path !== `${base}/subscriptions/content` || !list) return BAD
    if (!subscribed.has(type)) return { status: 400, json: { error: { code: 'AF20022', message: 'no subscription' } } }
    const form = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/
    const [since, until] = ['startTime', 'endTime'].map((name) => at(`${query.get(name)}Z`, ISO)) as [number, number]
    const isTooLong = until - since > 24 * 3_600_000 || Date.now() - since > 7 * 24 * 3_600_000
    if (!form.test(query.get('startTime') ?? '') || !hasTimes(since, until) || isTooLong) return BAD
    // A blob for every two records.
    const records = list.between(since, until + 1000)
    const blobs = Array.from({ length: Math.ceil(records.length / 2) }, (_, i) => records.slice(2 * i, 2 * i + 2))
    const { items, next } = pageAt(blobs as never, Number(query.get('nextPage') ?? 0))
    query.set('nextPage', String(next))
    const headers = next === undefined ? {} : { NextPageUri: `${url}/m365${path}?${query}` }
    const content = (items as unknown as Record[][]).map((some) => {
      const id = Buffer.from(JSON.stringify(some)).toString('base64url')
      return { contentType: type, contentId: `${id}$audit`, contentUri: `${url}/m365${base}/audit/${id}`, contentCreated: 'x' }
    })
    return { json: content, headers: headers as Readonly<{ [name: string]: string }> }
  },
  graph({ lists, url }, { path, query }) {
    const name = /^\/v1\.0\/auditLogs\/(signIns|directoryAudits)$/.exec(path)?.[1] as 'signIns' | 'directoryAudits' | undefined
    const member = name === 'signIns' ? 'createdDateTime' : 'activityDateTime'
    const [, from, to] = new RegExp(`^${member} ge (\\S+) and ${member} le (\\S+)$`).exec(query.get('$filter') ?? '') ?? []
    const [since, until] = [at(from, ISO), at(to, ISO)]
    if (!name || !hasTimes(since, until)) return BAD
    const { items, next } = pageAt(lists[name].between(since, until + 1000), Number(query.get('$skiptoken') ?? 0))
    query.set('$skiptoken', String(next))
    const more = next === undefined ? {} : { '@odata.nextLink': `${url}/graph${path}?${query}` }
    return { json: { '@odata.context': `${url}/$metadata#auditLogs`, ...more, value: items } }
  },
  slack({ lists }, { path, query }) {
    const [since, until] = ['oldest', 'latest'].map((name) => at10(query.get(name))) as [number, number]
    if (path !== '/audit/v1/logs' || !hasTimes(since, until)) return BAD
    const newestFirst = lists.slack.between(since, until + 1000).reverse()
    const { items, next } = pageAt(newestFirst, Number(query.get('cursor') ?? 0))
    return { json: { entries: items, response_metadata: { next_cursor: next === undefined ? '' : String(next) } } }
  },
  onepassword({ lists }, { path, body, method }) {
    const name = path.slice('/api/v2/'.length) as 'signinattempts' | 'itemusages' | 'auditevents'
    const {
      cursor,
      start_time: start,
      limit,
    } = JSON.parse(body || '{}') as { cursor?: string; start_time?: string; limit?: number }
    const isStart = cursor === undefined && hasTimes(at(start, ISO)) && limit === 1000
    if (method !== 'POST' || !Object.hasOwn(lists, name) || (!isStart && start !== undefined)) return BAD
    const from = Number(cursor ?? 0)
    const { items, next } = pageAt(lists[name].between(0, Number.POSITIVE_INFINITY), from)
    return { json: { cursor: String(from + items.length), has_more: next !== undefined, items } }
  },
  cloudflare({ lists }, { path, query }) {
    const [since, until] = [at(query.get('since'), ISO), at(query.get('before'), ISO)]
    if (path !== '/client/v4/accounts/acc1/audit_logs' || !hasTimes(since, until)) return BAD
    const size = Number(query.get('per_page'))
    const { items } = pageAt(lists.cloudflare.between(since, until + 1000), (Number(query.get('page')) - 1) * size, size)
    return { json: { success: true, errors: [], messages: [], result: items, result_info: { page: 1 } } }
  },
}

type Record2<T> = { [name: string]: T }

function at10(text: string | null): number {
  return /^\d{10}$/.test(text ?? '') ? Number(text) * 1000 : Number.NaN
}

/** An activity with two events. */
function activity({ type, name, parameters: _, ...record }: Record, id: string): Record {
  const parameters = [
    { name: 'login_type', value: 'google_password' },
    { name: 'is_suspicious', boolValue: false },
    { name: 'login_challenge_method', multiValue: ['password'] },
  ]
  const key = { ...(record['id'] as Record), uniqueQualifier: id }
  return {
    ...record,
    id: key,
    etag: '"x"',
    events: [
      { type, name, parameters },
      { type, name: 'login_challenge' },
    ],
  }
}

function signIn({ properties }: Record, id: string): Record {
  return { ...(properties as Record), id, location: { city: 'Lund', countryOrRegion: 'SE' } }
}

function directoryAudit(_: Record, id: string): Record {
  return {
    id,
    category: 'UserManagement',
    correlationId: 'c1',
    result: 'success',
    resultReason: '',
    activityDisplayName: 'Add user',
    activityDateTime: '2024-04-19T10:05:01.1234567Z',
    loggedByService: 'Core Directory',
    operationType: 'Add',
    initiatedBy: {
      app: null,
      user: { id: 'u1', displayName: 'Alice', userPrincipalName: 'alice@example.com', ipAddress: '192.0.2.44' },
    },
    targetResources: [{ id: 'u2', userPrincipalName: 'bob@example.com' }],
  }
}

function cloudflareEntry(record: Record, id: string): Record {
  const { ActionType: type, ActionResult: result, ActorEmail: email, ActorIP: ip } = record
  return {
    id,
    when: record['When'],
    action: { type, result },
    actor: { id: 'a1', email, ip, type: 'user' },
    interface: 'UI',
    metadata: { zone_name: 'example.com' },
    newValue: '{"content":"203.0.113.80"}',
    oldValue: '',
    owner: { id: 'o1' },
    resource: { id: 'r1', type: 'DNS_record' },
  }
}

/** A source of each preset. */
export function vendorSources(url: string, secret: (text: string) => object): object[] {
  const app = { tenant: TENANT, client_id: 'app', client_secret: secret(SECRET), login_endpoint: `${url}/login` }
  const token = secret(SECRET)
  const google = { service_account_key: secret(googleKey(url)), subject: 'admin@example.com', applications: ['login', 'drive'] }
  return [
    { id: 'okta', preset: 'okta', domain: 'example.okta.com', token, endpoint: `${url}/okta` },
    { id: 'org', preset: 'github_organisation', organisation: 'acme', token, endpoint: `${url}/github` },
    { id: 'enterprise', preset: 'github_enterprise', enterprise: 'acme-inc', token, endpoint: `${url}/github` },
    { id: 'google', preset: 'google_workspace', ...google, endpoint: `${url}/google` },
    { id: 'm365', preset: 'microsoft365', ...app, content_types: ['Exchange', 'General'], endpoint: `${url}/m365` },
    { id: 'entra', preset: 'entra', ...app, endpoint: `${url}/graph` },
    { id: 'slack', preset: 'slack', token, endpoint: `${url}/slack` },
    { id: 'onepassword', preset: 'onepassword', token, endpoint: `${url}/onepassword` },
    { id: 'cloudflare', preset: 'cloudflare', account: 'acc1', token, endpoint: `${url}/cloudflare` },
  ].map((source) => ({ type: 'poll', poll_ms: 200, ...source }))
}

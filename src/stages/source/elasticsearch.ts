import { randomUUID } from 'node:crypto'
import type { z } from 'zod'
import { type BulkItem, walkBulk } from './decoders/elasticsearch-bulk.ts'
import { discardBody } from './read-body.ts'
import { MAX_RECORDS, type Receiving, receive } from './receive.ts'
import { RequestRefused, refusalOf } from './refusal.ts'
import { isSender, jsonAnswer, requireSender, shipperConfig, shipperReceiving, shipperTerms } from './shipper.ts'
import { defineSource, type Intake, type IntakeDeps } from './source.ts'

/** Elasticsearch's `_bulk`, and what Filebeat, Logstash and its clients ask for before they use it. */
export const elasticsearch = defineSource({
  type: 'elasticsearch',
  summary: 'Receives documents as Elasticsearch does: bulk requests of Beats, Logstash and other clients.',
  config: shipperConfig,
  example: { id: 'beats' },
  onlyReceives: true,
  pushes: (settings, deps) => new ElasticsearchIntake(settings, deps),
  listens: shipperTerms,
})

const TYPES = {
  accepted: /^application\/(x-ndjson|json|vnd\.elasticsearch\+(x-ndjson|json))\b/i,
  advice: 'send application/x-ndjson',
}
/** `/_bulk` and `/<index>/_bulk`. */
const BULK = /^\/(?:([^/]{1,255})\/)?_bulk\/?$/
/** Paths of the API begin with an underscore, alone or after an index; `/` is the handshake. */
const API = /^\/(?:$|_[a-z]|[^/_][^/]*\/_[a-z])/
/** Named high enough that shippers do not refuse it as older than themselves. */
const VERSION = '9.0.0'
const ID = randomUUID()

class ElasticsearchIntake implements Intake {
  readonly #deps: IntakeDeps
  readonly #receiving: Omit<Receiving, 'receivedMs'>

  constructor(settings: z.output<typeof shipperConfig>, deps: IntakeDeps) {
    this.#deps = deps
    this.#receiving = shipperReceiving(settings, deps, TYPES)
  }

  claims(path: string): boolean {
    return API.test(path)
  }

  knows(headers: Headers): boolean {
    return isSender(headers, this.#deps.authorised)
  }

  async handle(request: Request, path: string): Promise<Response> {
    try {
      const bulk = BULK.exec(path)
      if (!bulk || (request.method !== 'POST' && request.method !== 'PUT')) {
        requireSender(request.headers, this.#deps.authorised)
        await discardBody(request)
        return handshake(request.method, path || '/')
      }
      const receivedMs = this.#deps.now()
      const index = bulk[1]
      return await receive(request, { ...this.#receiving, receivedMs }, (body) => this.#bulk(body, index, receivedMs))
    } catch (error) {
      await discardBody(request)
      const { status, message, headers } = refusalOf(error)
      return failed(status, message, headers)
    }
  }

  async #bulk(body: Uint8Array, index: string | undefined, receivedMs: number): Promise<Response> {
    const items: Pick<BulkItem, 'action' | 'index' | 'id' | 'refused'>[] = []
    const broken = walkBulk(
      body,
      ({ action, index: own, id, refused }) => items.push({ action, index: own ?? index, id, refused }),
      MAX_RECORDS + 1,
    )
    if (broken !== undefined) throw new RequestRefused(400, broken)
    if (items.length === 0) throw new RequestRefused(400, 'request body is required')
    if (items.length > MAX_RECORDS) throw new RequestRefused(413, `the request has more than ${MAX_RECORDS} items; split it`)
    let later: RequestRefused | undefined
    if (items.some(({ refused }) => refused === undefined)) {
      const decoding = index === undefined ? 'elasticsearch-bulk' : `elasticsearch-bulk?${new URLSearchParams({ index })}`
      // Clients repeat items with 429; few repeat a whole request.
      later = await this.#deps.append(body, { decoding, receivedMs }).then(() => undefined, refusalOf)
    }
    const results = items.map(({ action, index: at = 'logs', id = randomUUID(), refused }) => ({
      [action]: { _index: at, _id: id, ...resultOf(refused, later) },
    }))
    const hasErrors = later !== undefined || items.some(({ refused }) => refused !== undefined)
    return answer(200, { took: 0, errors: hasErrors, items: results }, later?.headers)
  }

  async close(): Promise<void> {}
}

function resultOf(refused: string | undefined, later: RequestRefused | undefined) {
  if (refused !== undefined) return { status: 400, error: { type: 'document_parsing_exception', reason: refused } }
  if (later) return { status: 429, error: { type: 'es_rejected_execution_exception', reason: later.message } }
  return {
    status: 201,
    result: 'created',
    _version: 1,
    _seq_no: 0,
    _primary_term: 1,
    _shards: { total: 1, successful: 1, failed: 0 },
  }
}

/**
 * What shippers ask before they send: which version this is, its licence, and whether their templates, policies and pipelines exist.
 * There are none here, and none are needed, so they are said to exist, and new ones are accepted and ignored.
 */
function handshake(method: string, path: string): Response {
  if (method === 'HEAD') return answer(200, undefined)
  if (path === '/') return answer(200, ABOUT)
  if (/^\/_(license|xpack)\b/.test(path)) return answer(200, LICENCE)
  if (/^\/_cluster\/health\b/.test(path)) return answer(200, { cluster_name: 'caracal', status: 'green', number_of_nodes: 1 })
  const [, name] = /^\/_ilm\/policy\/([^/]+)$/.exec(path) ?? []
  if (method === 'GET' && name !== undefined) return answer(200, { [name]: { version: 1, policy: { phases: {} } } })
  if (/^\/(_ilm|_index_template|_component_template|_template|_ingest|_data_stream|_alias|_nodes|_cluster)\b/.test(path))
    return answer(200, method === 'GET' ? {} : { acknowledged: true })
  return failed(400, `${method} ${path.slice(0, 100)} is not supported: documents are only accepted by _bulk`)
}

const ABOUT = {
  name: 'caracal',
  cluster_name: 'caracal',
  cluster_uuid: ID,
  version: {
    number: VERSION,
    build_flavor: 'default',
    build_type: 'tar',
    build_hash: '0000000',
    build_date: '2025-01-01T00:00:00.000Z',
    build_snapshot: false,
    lucene_version: '10.0.0',
    minimum_wire_compatibility_version: '8.0.0',
    minimum_index_compatibility_version: '8.0.0',
  },
  tagline: 'You Know, for Search',
}
const LICENCE = {
  license: { uid: ID, type: 'basic', mode: 'basic', status: 'active', issued_to: 'caracal', issuer: 'caracal' },
  features: { ilm: { available: true, enabled: true } },
}

function failed(status: number, reason: string, headers: Readonly<Record<string, string>> = {}): Response {
  const type =
    status === 401 ? 'security_exception' : status === 429 ? 'es_rejected_execution_exception' : 'illegal_argument_exception'
  const error = { type, reason }
  return answer(status, { error: { root_cause: [error], ...error }, status }, headers)
}

/** Clients refuse responses without this header. */
function answer(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Response {
  const all = { 'x-elastic-product': 'Elasticsearch', ...headers }
  return body === undefined ? new Response(null, { status, headers: all }) : jsonAnswer(status, body, all)
}

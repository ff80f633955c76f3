import { strict as assert } from 'node:assert'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { providers } from '../../src/stages/enrich/index.ts'
import type { Provider, ProviderDeps } from '../../src/stages/enrich/provider.ts'
import { TableError } from '../../src/stages/enrich/table.ts'
import type { AnyDefinition } from '../../src/util/define.ts'
import { hash16 } from '../../src/util/hash.ts'
import { createHttp } from '../../src/util/http/http.ts'
import { LdapServer } from '../support/ldap-server.ts'
import { S3Store } from '../support/s3-store.ts'
import { TestServer } from '../support/servers.ts'
import type { Behaviour, Suite } from './behaviours.ts'
import { type Fitting, feedFittings, type Place, SECRET } from './feed-fittings.ts'

/** A provider's definition for the suite: its config is validated by its own schema. */
export interface AnyProvider extends AnyDefinition {
  readonly isLocal: boolean
  readonly isComposed?: boolean
  create(config: never, deps: ProviderDeps): Provider
}

/** A zip of list.txt and other.csv. */
const ARCHIVE = Buffer.from(
  'UEsDBBQAAAAAAAAAbFicwrGKCgAAAAoAAAAIAAAAbGlzdC50eHQxOTIuMC4yLjEKUEsDBBQAAAAAAAAAbFicwrGKCgAAAAoAAAAJAAAAb3RoZXIuY3N2MTkyLjAuMi4xClBLAQIUAxQAAAAAAAAAbFicwrGKCgAAAAoAAAAIAAAAAAAAAAAAAACAAQAAAABsaXN0LnR4dFBLAQIUAxQAAAAAAAAAbFicwrGKCgAAAAoAAAAJAAAAAAAAAAAAAACAATAAAABvdGhlci5jc3ZQSwUGAAAAAAIAAgBtAAAAYQAAAAAA',
  'base64',
)

/** Counts what was put, as the time at which it was added to a collection. */
let puts = 0

function envelopeOf(content: string): string {
  return JSON.stringify({ objects: [{ type: 'indicator', name: content }] })
}

const fittings: Readonly<Record<string, Fitting>> = {
  ...feedFittings,
  file: {
    config: () => ({ path: 'list.txt' }),
    put: ({ folder }, content) => {
      const path = join(folder, 'list.txt')
      if (content === undefined) rmSync(path, { force: true })
      else writeFileSync(path, content)
    },
  },
  s3: {
    config({ server }) {
      stores.set(server, new S3Store(server, 'lists'))
      return { bucket: 'lists', key: 'list.txt', endpoint: server.url, auth: { key: 'one' } }
    },
    put({ server }, content) {
      const store = stores.get(server)!
      if (content === undefined) store.objects.delete('list.txt')
      else store.objects.set('list.txt', { content })
    },
  },
  taxii: {
    config: ({ server }) => ({ url: server.url, collection: 'c', auth: { key: 'one' } }),
    put({ server }, content) {
      const added = `2024-03-12T08:00:00.${String(++puts).padStart(6, '0')}Z`
      server.answer = (response, { url, headers }) => {
        const after = new URL(url, server.url).searchParams.get('added_after')
        if (content === undefined) response.writeHead(500).end(JSON.stringify(headers))
        else if (after !== null && after >= added) response.end('{}')
        else response.writeHead(200, { 'x-taxii-date-added-last': added }).end(envelopeOf(String(content)))
      }
    },
    gives: (content) => envelopeOf(content).replace('{', '{"type":"bundle",'),
    size: (content) => Buffer.byteLength(envelopeOf(content)),
  },
  query: {
    config: () => ({ sql: 'SELECT line FROM list' }),
    put({ lake }, content) {
      lake.runQuery = () =>
        content === undefined
          ? Promise.reject(new TableError('the query failed'))
          : Promise.resolve({ rows: [{ line: String(content) }], truncated: false })
    },
    gives: (content) => `${JSON.stringify({ line: content })}\n`,
    size: (content) => Buffer.byteLength(`${JSON.stringify({ line: content })}\n`),
    hang({ lake }, arrived) {
      lake.runQuery = (_, signal) => {
        arrived()
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      }
    },
  },
  url: {
    config: ({ server }) => ({ url: `${server.url}/list.txt?key=${SECRET}`, headers: { authorization: SECRET } }),
    put: ({ server }, content) => {
      server.answer = (response, { headers }) => {
        const etag = `"${hash16(String(content ?? ''))}"`
        if (content === undefined) response.writeHead(500).end(JSON.stringify(headers))
        else if (headers['if-none-match'] === etag) response.writeHead(304).end()
        else response.writeHead(200, { etag }).end(content)
      }
    },
  },
}

/** The bucket of each server. */
const stores = new WeakMap<TestServer, S3Store>()

interface Bench extends Place {
  readonly provider: Provider
  put(content: string | Buffer | undefined): void
  /** What the provider makes of the content. */
  gives(content: string): string
  /** Lets the next refresh wait forever. */
  hang(arrived: () => void): void
}

function fittingOf({ type }: AnyProvider): Fitting {
  const fitting = fittings[type]
  if (!fitting) throw new Error(`add what provider '${type}' needs to the table \`fittings\` of this suite`)
  return fitting
}

async function onBench(definition: AnyProvider, use: (bench: Bench) => Promise<void>, more: object = {}): Promise<void> {
  const fitting = fittingOf(definition)
  const place: Place = {
    server: await new TestServer().listen(),
    ldap: await new LdapServer().listen(),
    folder: mkdtempSync(join(tmpdir(), 'caracal-provider-')),
    lake: { runQuery: () => Promise.reject(new TableError('there is no list')) },
  }
  const http = createHttp({ proxy: { https: undefined, http: undefined, except: [] }, allowPrivate: ['127.0.0.0/8'] })
  const config = definition.config.parse({ ...fitting.config(place), ...more }) as never
  const provider = definition.create(config, {
    send: http.fromContent,
    runQuery: (query, signal) => place.lake.runQuery(query, signal),
    keys: () => ({ user: 'AKIDTEST', secret: fitting.secret ?? SECRET }),
    table: 'list',
    folder: place.folder,
    dataFolder: place.folder,
  })
  try {
    await use({
      ...place,
      provider,
      put: (content) => fitting.put(place, content),
      gives: fitting.gives ?? ((content) => content),
      hang(arrived) {
        if (fitting.hang) fitting.hang(place, arrived)
        else place.server.answer = arrived
      },
    })
  } finally {
    await http.close()
    await place.server.close()
    await place.ldap.close()
    rmSync(place.folder, { recursive: true })
  }
}

const never = () => new AbortController().signal

const behaviours: readonly Behaviour<AnyProvider>[] = [
  {
    name: 'is made without looking for content',
    check: (definition) =>
      onBench(definition, async ({ server }) => {
        assert.equal(server.connections, 0)
      }),
  },
  {
    name: 'gives the content byte by byte',
    check: (definition) =>
      onBench(definition, async ({ provider, put, gives }) => {
        const content = `192.0.2.1\r\n\0\u{1f600}${'x'.repeat(200_000)}`
        put(content)
        const fetched = await provider.refresh({}, never())
        assert.equal(Buffer.from(fetched!.bytes).toString(), gives(content))
      }),
  },
  {
    name: 'gives content again only when it has changed',
    check: (definition) =>
      onBench(definition, async ({ provider, put, gives }) => {
        put('192.0.2.1\n')
        const { validators } = (await provider.refresh({}, never()))!
        assert.equal(await provider.refresh(validators, never()), undefined)
        put('192.0.2.1\n192.0.2.2\n')
        const changed = await provider.refresh(validators, never())
        assert.equal(Buffer.from(changed!.bytes).toString(), gives('192.0.2.1\n192.0.2.2\n'))
        assert.equal(await provider.refresh(changed!.validators, never()), undefined)
      }),
  },
  {
    name: 'takes the named member out of an archive, and reports an archive without it',
    check: async (definition) => {
      if (!('member' in definition.config.shape)) return
      await onBench(
        definition,
        async ({ provider, put }) => {
          put(ARCHIVE)
          const fetched = await provider.refresh({}, never())
          assert.equal(Buffer.from(fetched!.bytes).toString(), '192.0.2.1\n')
          put('192.0.2.1\n')
          await assert.rejects(provider.refresh({}, never()), /not a zip or tar archive/)
        },
        { member: '*.txt' },
      )
    },
  },
  {
    name: 'refuses content over its limit',
    async check(definition) {
      const { size = Buffer.byteLength } = fittingOf(definition)
      const limit = size('x'.repeat(1000))
      await onBench(
        definition,
        async ({ provider, put, gives }) => {
          put('x'.repeat(1000))
          assert.equal((await provider.refresh({}, never()))!.bytes.length, gives('x'.repeat(1000)).length)
          put('x'.repeat(1001))
          await assert.rejects(provider.refresh({}, never()), new RegExp(`larger than ${limit} bytes`))
        },
        { max_bytes: limit },
      )
    },
  },
  {
    name: 'fails as a TableError that names no secret',
    check: (definition) =>
      onBench(definition, async ({ provider, put }) => {
        put(undefined)
        const error = await provider.refresh({}, never()).catch((caught: unknown) => caught)
        assert.ok(error instanceof TableError, String(error))
        for (let at: unknown = error; at instanceof Error; at = at.cause)
          assert.ok(!`${at.stack} ${JSON.stringify(at)}`.includes(SECRET), at.message)
      }),
  },
  {
    name: 'ends when its signal is aborted',
    check: (definition) =>
      onBench(definition, async ({ provider, put, hang }) => {
        put('192.0.2.1\n')
        await assert.rejects(provider.refresh({}, AbortSignal.abort(new Error('stopped'))))
        const stop = new AbortController()
        const arrived = new Promise<void>((resolve) => {
          hang(resolve)
        })
        const refreshed = provider.refresh({}, stop.signal).catch(() => {})
        await Promise.race([arrived, refreshed])
        stop.abort(new Error('stopped'))
        let timer: NodeJS.Timeout | undefined
        const patience = new Promise<never>((_, reject) => {
          timer = setTimeout(() => reject(new Error('the refresh goes on')), PATIENCE_MS)
        })
        await Promise.race([refreshed, patience]).finally(() => clearTimeout(timer))
      }),
  },
]

/** Far longer than closing a connection takes; only a provider that does not close it waits this long. */
const PATIENCE_MS = 3000

/** Behaviours required of every provider. */
export const providerSuite: Suite<AnyProvider, AnyProvider> = {
  kind: 'provider',
  // One that composes its content here has no content to fetch.
  registry: (providers as unknown as readonly AnyProvider[]).filter(({ isComposed }) => !isComposed),
  subjectOf: (definition) => definition,
  behaviours,
}

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Caracal, freePort } from './support/caracal.ts'
import { until } from './support/until.ts'

/** Sources that are added, changed and removed through the API of the real program, without a restart. */

const BEGINNING = `# Ours.
listen: 127.0.0.1:PORT # not the world
data_dir: DATA
sources:
  # The first one.
  - {type: http, id: first, log_types: [Custom.App]}
WORKERS# Last.
`
const SCHEMA = `schema: Custom.App
fields:
  - {name: user, type: string, indicators: [username]}
  - {name: n, type: bigint}
`
const LIMIT_MS = 120_000

interface Added {
  readonly source: { readonly id: string; readonly log_types: readonly string[]; readonly etag?: string | null }
  readonly change: { readonly outcome: string; readonly summary: string }
  readonly token: string | null
  readonly shippers: readonly { readonly name: string; readonly text: string }[]
}

describe.each([1, 2])(
  'with %i workers',
  (workers) => {
    const folder = mkdtempSync(join(tmpdir(), 'caracal-sources-'))
    const file = join(folder, 'caracal.yml')
    let caracal: Caracal
    let original = ''
    let count = 0
    let id = ''

    beforeAll(async () => {
      mkdirSync(join(folder, 'content'))
      writeFileSync(join(folder, 'content/app.yml'), SCHEMA)
      const port = await freePort()
      original = BEGINNING.replace('PORT', String(port))
        .replace('DATA', join(folder, 'data'))
        .replace('WORKERS', workers > 1 ? `workers: ${workers}\n` : '')
      writeFileSync(file, original)
      caracal = new Caracal({ port, dataDir: join(folder, 'data'), cwd: folder, args: ['--no-demo'] })
      await caracal.start()
    }, LIMIT_MS)

    afterAll(async () => {
      await caracal.end('SIGTERM')
      rmSync(folder, { recursive: true, force: true })
    }, LIMIT_MS)

    beforeEach(() => {
      id = `app${++count}`
    })

    async function call<T>(method: string, path: string, body?: object, ifMatch?: string): Promise<{ status: number; body: T }> {
      const headers = { 'content-type': 'application/json', ...(ifMatch !== undefined && { 'if-match': ifMatch }) }
      const init = { method, headers, ...(body && { body: JSON.stringify(body) }) }
      const response = await caracal.fetch(`/api/v1${path}`, init)
      return { status: response.status, body: (await response.json()) as T }
    }

    const add = (source: object, token?: object) => call<Added>('POST', '/sources', { source, ...(token && { token }) })
    const detail = (answer: { body: unknown }) => (answer.body as { detail: string }).detail
    const post = (to: string, body: string, token?: string) =>
      caracal.fetch(`/ingest/${to}`, {
        method: 'POST',
        body,
        ...(token !== undefined && { headers: { authorization: `Bearer ${token}` } }),
      })
    const rows = (sql: string) => caracal.query(sql)
    const counted = async (where: string) => Number((await rows(`SELECT count() FROM logs.custom_app WHERE ${where}`))[0]![0])

    test('what is sent to a new source with its new token arrives, and the file has its lines', async () => {
      const made = await add({ type: 'http', id, label: 'Our app', log_types: ['Custom.App'] }, {})
      expect(made).toMatchObject({
        status: 200,
        body: { source: { id, log_types: ['Custom.App'] }, change: { outcome: 'swapped' } },
      })
      const { token } = made.body
      expect(token).toMatch(/^caracal_/)
      expect(made.body.shippers.find(({ name }) => name === 'curl')?.text).toContain(
        `Bearer ${token}" --data-binary @app.log http://`,
      )
      expect((await post(id, `{"user": "ana", "n": ${count}}\n`, token!)).status).toBe(202)
      expect(readFileSync(file, 'utf8')).not.toContain(token)
      await until(async () => (await counted(`p_source_id = '${id}'`)) === 1)
      expect(await rows(`SELECT user, p_source_label FROM logs.custom_app WHERE p_source_id = '${id}'`)).toEqual([
        ['ana', 'Our app'],
      ])
      expect(readFileSync(file, 'utf8')).toContain(
        `  - type: http\n    id: ${id}\n    label: Our app\n    log_types:\n      - Custom.App\n`,
      )
      expect(readFileSync(file, 'utf8')).toContain('  # The first one.\n  - {type: http, id: first, log_types: [Custom.App]}\n')
      expect((await call<{ results: { id: string }[] }>('GET', '/sources')).body.results.map((one) => one.id)).toContain(id)
    })

    test('a change of filters counts from then on, and one of its limits opens it again', async () => {
      await add({ type: 'http', id, log_types: ['Custom.App'] })
      const filters = [{ name: 'no robots', exclude: { where: [{ field: 'user', in: ['robot'] }] } }]
      expect(await call('PATCH', `/sources/${id}`, { set: { filters, drop_off_minutes: 60 } })).toMatchObject({ status: 200 })
      await post(id, '{"user": "robot", "n": 1}\n{"user": "bea", "n": 2}\n')
      await until(async () => (await counted(`p_source_id = '${id}'`)) === 1)
      expect(await rows(`SELECT user FROM logs.custom_app WHERE p_source_id = '${id}'`)).toEqual([['bea']])
      expect(await call('PATCH', `/sources/${id}`, { set: { max_body_bytes: 1024, filters: null } })).toMatchObject({
        status: 200,
      })
      expect((await post(id, `{"user": "${'x'.repeat(2000)}"}`)).status).toBe(413)
      expect((await post(id, '{"user": "robot", "n": 3}\n')).status).toBe(202)
      await until(async () => (await counted(`p_source_id = '${id}'`)) === 2)
      expect(readFileSync(file, 'utf8')).toContain(
        `    id: ${id}\n    log_types:\n      - Custom.App\n    drop_off_minutes: 60\n    max_body_bytes: 1024\n`,
      )
    })

    test('a change of what another person has changed since is refused, and the source stays as they left it', async () => {
      await add({ type: 'http', id, log_types: ['Custom.App'] })
      const { etag } = (await call<{ etag: string }>('GET', `/sources/${id}`)).body
      const changed = await call<Added>('PATCH', `/sources/${id}`, { set: { label: 'Ours' } }, etag)
      expect(changed).toMatchObject({ status: 200, body: { source: { label: 'Ours' } } })
      const late = await call('PATCH', `/sources/${id}`, { set: { label: 'Theirs' } }, etag)
      expect([late.status, detail(late)]).toEqual([
        412,
        expect.stringContaining(`the source '${id}' was changed since you read it`),
      ])
      expect((await call('DELETE', `/sources/${id}`, undefined, etag)).status).toBe(412)
      expect((await call<{ label: string }>('GET', `/sources/${id}`)).body.label).toBe('Ours')
      expect((await call('DELETE', `/sources/${id}`, undefined, changed.body.source.etag!)).status).toBe(200)
    })

    test('a removed source takes nothing more, its events stay, and it can be added again', async () => {
      const before = readFileSync(file, 'utf8')
      await add({ type: 'http', id, log_types: ['Custom.App'] })
      await post(id, '{"user": "cy", "n": 1}\n')
      expect(await call('DELETE', `/sources/${id}`)).toMatchObject({ status: 200 })
      expect(readFileSync(file, 'utf8')).toBe(before)
      expect((await post(id, '{"user": "cy", "n": 2}\n')).status).toBe(404)
      await until(async () => (await counted(`p_source_id = '${id}'`)) === 1)
      await add({ type: 'http', id, log_types: ['Custom.App'] })
      expect((await post(id, '{"user": "cy", "n": 3}\n')).status).toBe(202)
      await until(async () => (await counted(`p_source_id = '${id}'`)) === 2)
      expect(await rows(`SELECT n FROM logs.custom_app WHERE p_source_id = '${id}' ORDER BY n`)).toEqual([[1], [3]])
    })

    test('what is sent while sources come and go arrives once', async () => {
      await add({ type: 'http', id, log_types: ['Custom.App'] })
      let isDone = false
      const sending = (async () => {
        let n = 0
        while (!isDone) expect((await post(id, `{"user": "dee", "n": ${++n}}\n`)).status).toBe(202)
        return n
      })()
      for (const other of ['a', 'b', 'c'].map((name) => `${id}-${name}`)) {
        expect((await add({ type: 'http', id: other })).status).toBe(200)
        expect((await call('DELETE', `/sources/${other}`)).status).toBe(200)
      }
      isDone = true
      const sent = await sending
      await until(async () => (await counted(`p_source_id = '${id}'`)) >= sent)
      expect(await rows(`SELECT count(), uniqExact(n), max(n) FROM logs.custom_app WHERE p_source_id = '${id}'`)).toEqual([
        [sent, sent, sent],
      ])
    })

    test('a source with a port of its own receives, and one whose port is in use leaves nothing behind', async () => {
      const port = await freePort()
      const syslog = { type: 'syslog', listen: `127.0.0.1:${port}`, transports: ['tcp'] }
      expect(await add({ ...syslog, id })).toMatchObject({ status: 200 })
      const before = readFileSync(file, 'utf8')
      const refused = await add({ ...syslog, id: `${id}-again` })
      expect(refused.status).toBe(400)
      expect(detail(refused)).toContain('cannot be started')
      expect(readFileSync(file, 'utf8')).toBe(before)
      expect((await call('DELETE', `/sources/${id}`)).status).toBe(200)
      expect(await add({ ...syslog, id: `${id}-again` })).toMatchObject({ status: 200 })
      const lines = await call<{ shippers: { name: string; text: string }[] }>('GET', `/sources/${id}-again/shippers`)
      expect(lines.body.shippers.find(({ name }) => name === 'rsyslog')?.text).toContain(`port="${port}"`)
    })

    test.each<[what: string, source: object, status: number, why: RegExp]>([
      ['an id that exists', { type: 'http', id: 'first' }, 409, /there is a source 'first' already/],
      ['an unknown key', { type: 'http', id: 'new', lable: 'x' }, 400, /caracal\.yml:\d+.*Unrecognized key: "lable"/],
      ['an unknown type', { type: 'htpp', id: 'new' }, 400, /unknown type\. Known:.*http/],
      ['an id that is a path', { type: 'http', id: '../x' }, 400, /lower-case letters/],
      [
        'a log type without a schema',
        { type: 'http', id: 'new', log_types: ['Custom.Apq'] },
        400,
        /names the log type 'Custom\.Apq', which has no schema/,
      ],
      ['a secret that is not a reference', { type: 'http', id: 'new', token: 'hunter2' }, 400, /token/],
      ['a reference to nothing', { type: 'http', id: 'new', token: { env: 'NOT_SET_ANYWHERE' } }, 400, /NOT_SET_ANYWHERE/],
      [
        'a source that runs commands',
        { type: 'exec', id: 'new', command: ['id'] },
        400,
        /only be changed in the configuration file/,
      ],
      [
        'a source that reads files',
        { type: 'file', id: 'new', paths: ['/etc/shadow'] },
        400,
        /only be changed in the configuration file/,
      ],
      [
        'a source that sends secrets',
        { type: 'poll', id: 'new', url: 'https://evil.example/', token: { env: 'HOME' } },
        400,
        /only be changed/,
      ],
      ['a pinned file', { type: 'http', id: 'new', tables: { tor_exit_nodes: '/etc/passwd' } }, 400, /`tables` names files/],
      [
        'a time limit that the server does not have',
        { type: 'http', id: 'new', body_timeout_ms: 600_000 },
        400,
        /without a restart/,
      ],
    ])('%s is refused, and the file stays as it is', async (_what, source, status, why) => {
      const before = readFileSync(file, 'utf8')
      const answer = await add(source)
      expect(detail(answer)).toMatch(why)
      expect(answer.status).toBe(status)
      expect(JSON.stringify(answer.body)).not.toContain('hunter2')
      expect(readFileSync(file, 'utf8')).toBe(before)
      expect((await post('new', '{}')).status).toBe(404)
    })

    test('sources that are not in the file, and keys that name another source, cannot be changed', async () => {
      expect((await call('PATCH', '/sources/default', { set: { label: 'x' } })).status).toBe(404)
      expect((await call('DELETE', '/sources/default')).status).toBe(404)
      const renamed = await call('PATCH', '/sources/first', { set: { id: 'second' } })
      expect(renamed.status).toBe(400)
      expect(detail(renamed)).toContain('`id` of a source cannot be changed')
    })

    test('what the API wrote is there after a restart', async () => {
      await add({ type: 'http', id, log_types: ['Custom.App'] })
      await post(id, '{"user": "eve", "n": 1}\n')
      await caracal.end('SIGTERM')
      await caracal.start()
      expect((await post(id, '{"user": "eve", "n": 2}\n')).status).toBe(202)
      await until(async () => (await counted(`p_source_id = '${id}'`)) === 2)
    })
  },
  LIMIT_MS,
)

test(
  'without a configuration file, nothing is written and the answer says what to do',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'caracal-no-file-'))
    const port = await freePort()
    const args = ['--no-demo', '--data-dir', join(folder, 'data'), '--listen', `127.0.0.1:${port}`]
    const caracal = new Caracal({ port, dataDir: join(folder, 'data'), cwd: folder, args })
    try {
      await caracal.start()
      const answer = await caracal.fetch('/api/v1/sources', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ source: { type: 'http', id: 'new' } }),
      })
      expect(answer.status).toBe(400)
      expect(await answer.text()).toContain('started without a configuration file')
    } finally {
      await caracal.end('SIGTERM')
      rmSync(folder, { recursive: true, force: true })
    }
  },
  LIMIT_MS,
)

import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { packageRoot } from '../src/util/entry.ts'
import { Caracal, freePort } from './support/caracal.ts'

/** The whole program as a user starts it: demo, bad input of every kind, a second process, the end. In order. */
const folder = mkdtempSync(join(tmpdir(), 'caracal-e2e-'))
const logs = join(folder, 'logs')
let caracal: Caracal

beforeAll(async () => {
  mkdirSync(logs)
  const port = await freePort()
  const config = {
    listen: `127.0.0.1:${port}`,
    data_dir: join(folder, 'data'),
    sources: [
      { type: 'http', id: 'web', log_types: ['Custom.Auth'], body_timeout_ms: 1000 },
      { type: 'file', id: 'disk', log_types: ['Custom.Auth'], paths: [join(logs, '*.log')], poll_ms: 20, idle_ms: 200 },
    ],
  }
  writeFileSync(join(folder, 'caracal.yml'), JSON.stringify(config))
  caracal = new Caracal({ port, dataDir: join(folder, 'data'), cwd: folder, args: [] })
  await caracal.start()
})

afterAll(async () => {
  await caracal.end('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

const auth = (n: number) => `{"host":"web1","ident":"sshd","message":"good ${n}"}\n`

/** Waits for an expected result; the test's time limit ends the wait. */
async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

async function post(body: string | Uint8Array, headers: Record<string, string> = {}): Promise<number> {
  const response = await caracal.fetch('/ingest/web', { method: 'POST', body: body as never, headers })
  await response.arrayBuffer()
  return response.status
}

async function reasons(source: string): Promise<Record<string, number>> {
  const answer = (await (await caracal.fetch('/api/v1/sources')).json()) as {
    results: { id: string; dead_letter_reasons: Record<string, number> }[]
  }
  return answer.results.find(({ id }) => id === source)!.dead_letter_reasons
}

function residentMiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024
}

// One running program, so in this order.
describe('the program', { shuffle: false }, () => {
  describe('a first start', () => {
    test('shows the alerts of the sample, with the critical login from Tor', async () => {
      await until(async () => (caracal.output.includes('What next') ? true : undefined))
      expect(caracal.output).toContain('CRITICAL  SSH Connection Established from TOR Exit Node (45.139.122.241)')
      expect(caracal.output).toContain('HIGH      Unexpected Port Opened: 21')
      expect(caracal.output).toMatch(/788 records .* 788 stored/)
    })

    test('stores every event of the sample, with the table version it was joined with', async () => {
      const rows = await until(async () => {
        const found = await caracal.query("SELECT count() FROM logs.all WHERE p_source_id = 'demo'")
        return Number(found[0]?.[0]) === 788 ? found : undefined
      })
      expect(rows).toHaveLength(1)
      const [[enrichment] = []] = await caracal.query(
        "SELECT p_enrichment FROM matches.zeek_ssh WHERE p_rule_id = 'Tor.SSH.Login'",
      )
      const row = (JSON.parse(String(enrichment)) as Record<string, Record<string, Record<string, string>>>)['tor_exit_nodes']![
        'id_orig_h'
      ]!
      expect(row['p_match']).toBe('45.139.122.241')
      expect(row['p_version']).toMatch(/[0-9a-f]{12}$/)
    })

    test('alerts show explains the alert', async () => {
      const list = (await (await caracal.fetch('/api/v1/alerts')).json()) as { results: { alert_id: string; title: string }[] }
      const { alert_id } = list.results.find(({ title }) => title.startsWith('SSH Connection Established'))!
      const shown = spawnSync(process.execPath, [join(packageRoot(), 'bin/caracal.js'), 'alerts', 'show', alert_id], {
        cwd: folder,
        encoding: 'utf8',
      })
      expect(shown.status, shown.stderr).toBe(0)
      expect(shown.stdout).toContain('tor_exit_nodes')
      expect(shown.stdout).toContain('45.139.122.241')
    })
  })

  describe('bad input', () => {
    test.each([
      { name: 'a gzip bomb', body: () => gzipSync(Buffer.alloc(200 * 1024 * 1024)), status: 413 },
      { name: 'broken gzip', body: () => Buffer.from([0x1f, 0x8b, 8, 0, 1, 2, 3, 4, 5, 6, 7]), status: 400 },
      { name: 'a body of 20 MB', body: () => Buffer.alloc(20 * 1024 * 1024, 97), status: 413 },
      {
        name: 'a cut JSON array',
        body: () => Buffer.from('[{"host":"a"},{"ho'),
        headers: { 'content-type': 'application/json' },
        status: 400,
      },
      {
        name: 'an image',
        body: () => Buffer.from([0x89, 0x50, 0x4e, 0x47]),
        headers: { 'content-type': 'image/png' },
        status: 415,
      },
      { name: 'nothing', body: () => Buffer.from('\n \n'), status: 400 },
      { name: 'a wrong token', body: () => Buffer.from(auth(0)), headers: { authorization: 'Bearer wrong' }, status: 401 },
    ])('$name is refused with $status', async ({ body, headers = {}, status }) => {
      expect(await post(body(), headers as Record<string, string>)).toBe(status)
    })

    test('a body that never ends is answered in time', async () => {
      const answer = await new Promise<string>((resolve, reject) => {
        const socket = connect(caracal.port, '127.0.0.1', () => {
          const token = readFileSync(join(folder, 'data/token'), 'utf8').trim()
          socket.write(
            `POST /ingest/web HTTP/1.1\r\nhost: 127.0.0.1:${caracal.port}\r\nauthorization: Bearer ${token}\r\ncontent-length: 1000\r\n\r\nstart`,
          )
        })
        socket.once('data', (data) => {
          resolve(data.toString())
          socket.destroy()
        })
        socket.once('error', reject)
      })
      expect(answer).toMatch(/^HTTP\/1\.1 408/)
    })

    test('each bad record has its reason and everything else is stored', async () => {
      const deep = `{"message":${'['.repeat(10_000)}${']'.repeat(10_000)},"host":"a","ident":"b"}\n`
      const long = `{"host":"a","ident":"b","message":"${'x'.repeat(1024 * 1024)}"}\n`
      const parts = [
        auth(1),
        Buffer.from([0, 1, 2, 0xff, 0xfe, 10]),
        auth(2),
        Buffer.from('{"host":"a\xff","ident":"b","message":"c"}\n', 'latin1'),
        deep,
        auth(3),
        long,
        '{"host":"a","ident":"b","message":\n',
        '{"host":"a","ident":"b"}\n',
        '{"host":{"no":"text"},"ident":"b","message":"c"}\n',
        '42\n',
        'only prose, no log\n',
        auth(4),
      ]
      expect(await post(Buffer.concat(parts.map((part) => Buffer.from(part as string))))).toBe(202)
      const found = await until(async () => {
        const now = await reasons('web')
        return Object.values(now).reduce((n, m) => n + m, 0) === 9 ? now : undefined
      })
      expect(found).toEqual({
        invalid_utf8: 2,
        too_deep: 1,
        too_long: 1,
        invalid_json: 1,
        missing_field: 1,
        wrong_type: 2,
        not_a_log: 1,
      })
      const stored = await until(async () => {
        const rows = await caracal.query("SELECT message FROM logs.custom_auth WHERE p_source_id = 'web' ORDER BY message")
        return rows.length === 4 ? rows : undefined
      })
      expect(stored.map(([message]) => message)).toEqual(['good 1', 'good 2', 'good 3', 'good 4'])
    })

    test('a line of 50 MB in a file costs one dead letter and little memory', async () => {
      const before = residentMiB(caracal.pid!)
      const path = join(logs, 'long.log')
      writeFileSync(path, auth(10))
      for (let i = 0; i < 50; i++) appendFileSync(path, Buffer.alloc(1024 * 1024, 120))
      appendFileSync(path, `\n${auth(11)}`)
      const found = await until(async () => {
        const now = await reasons('disk')
        return now['too_long'] ? now : undefined
      })
      expect(found).toEqual({ too_long: 1 })
      const letters = await until(async () => {
        const rows = await caracal.query("SELECT length, length(raw) FROM monitor.dead_letters WHERE source = 'disk'")
        return rows.length > 0 ? rows : undefined
      })
      expect(letters.map((row) => row.map(Number))).toEqual([[50 * 1024 * 1024 + 1, 64 * 1024]])
      await until(async () => {
        const rows = await caracal.query("SELECT message FROM logs.custom_auth WHERE p_source_id = 'disk'")
        return rows.length === 2 ? rows : undefined
      })
      expect(residentMiB(caracal.pid!) - before).toBeLessThan(150)
    })

    test('received = stored + filtered + dead-lettered for every source', async () => {
      const answer = (await (await caracal.fetch('/api/v1/sources')).json()) as {
        results: { records: Record<'received' | 'stored' | 'filtered' | 'dead_lettered', number> }[]
      }
      for (const { records } of answer.results)
        expect(records.received).toBe(records.stored + records.filtered + records.dead_lettered)
    })
  })

  describe('the end', () => {
    test('a second process on the same data folder gets an error, and changes nothing', async () => {
      const port = await freePort()
      const second = spawnSync(process.execPath, [join(packageRoot(), 'bin/caracal.js'), 'up', '--listen', `127.0.0.1:${port}`], {
        cwd: folder,
        encoding: 'utf8',
        timeout: 60_000,
      })
      expect(second.status).toBe(1)
      expect(second.stderr).toContain('in use by another Caracal process')
      expect((await caracal.fetch('/healthz')).ok).toBe(true)
    })

    test('demo --remove removes every trace of the sample', async () => {
      const removed = spawnSync(process.execPath, [join(packageRoot(), 'bin/caracal.js'), 'demo', '--remove'], {
        cwd: folder,
        encoding: 'utf8',
      })
      expect(removed.status, removed.stderr).toBe(0)
      expect(await caracal.query("SELECT count() FROM logs.all WHERE p_source_id = 'demo'")).toEqual([[0]])
      const list = (await (await caracal.fetch('/api/v1/alerts')).json()) as { results: { type: string }[] }
      // The garbage of the tests above may have raised a system alert by now.
      expect(list.results.filter(({ type }) => type !== 'SYSTEM')).toEqual([])
    })

    test('SIGTERM ends it with 0, and committed data is there after the next start', async () => {
      expect(await post(auth(20))).toBe(202)
      expect(await caracal.end('SIGTERM')).toBe(0)
      await caracal.start()
      const rows = await until(async () => {
        const found = await caracal.query("SELECT count() FROM logs.custom_auth WHERE message = 'good 20'")
        return Number(found[0]?.[0]) === 1 ? found : undefined
      })
      expect(rows).toEqual([[1]])
      expect(caracal.output).not.toContain('unhandled')
      expect(await caracal.end('SIGINT')).toBe(0)
    })
  })
})

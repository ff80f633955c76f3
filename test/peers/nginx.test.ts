import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Caracal, freePort } from '../support/caracal.ts'
import { until } from '../support/until.ts'
import { debianPackages, either, program } from './support/installed.ts'

/** The program itself, or the root folder of its unpacked package. */
const nginx = either(
  () => program('nginx'),
  () => debianPackages(['nginx']),
)

/** Values of a header as a client may send them, in the bytes that it sends. */
const AGENTS = [
  'curl/8.5.0',
  'a "quoted" agent',
  'back\\slash',
  'é in UTF-8',
  '"} {"remote_addr":"198.51.100.1',
  '\\x22',
  "' OR 1=1 --",
]
const EACH = 40

describe.skipIf(nginx.why)(`nginx${nginx.why ? ` (${nginx.why})` : ''}`, () => {
  let folder: string
  let caracal: Caracal
  let server: ChildProcess
  let port: number

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'caracal-nginx-'))
    // nginx started by root has workers of another user.
    chmodSync(folder, 0o755)
    port = await freePort()
    const api = await freePort()
    const types = ['Nginx.Access', 'Nginx.Error']
    const source = (id: string, file: string) => ({ type: 'file', id, paths: [join(folder, `${file}*`)], log_types: types })
    const sources = [source('combined', 'access.log'), source('json', 'json.log'), source('errors', 'error.log')]
    writeFileSync(join(folder, 'caracal.yml'), JSON.stringify({ listen: `127.0.0.1:${api}`, sources, flush_ms: 100 }))
    writeFileSync(join(folder, 'nginx.conf'), configuration())
    mkdirSync(join(folder, 'html'))
    writeFileSync(join(folder, 'html/index.html'), 'hello')
    const root = nginx.path!
    server = spawn(existsSync(join(root, 'usr')) ? join(root, 'usr/sbin/nginx') : root, ['-p', folder, '-c', 'nginx.conf'], {
      stdio: 'ignore',
    })
    await until(async () => (await fetch(`http://127.0.0.1:${port}/ready`).catch(() => undefined))?.status)
    caracal = new Caracal({ port: api, dataDir: join(folder, 'data'), cwd: folder, args: ['--no-demo'] })
    await caracal.start()
  })
  afterEach(async () => {
    server.kill('SIGTERM')
    await caracal.end('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })

  test('its logs are read as they were meant, through a rotation', async () => {
    await requests('before')
    for (const file of ['access.log', 'json.log']) renameSync(join(folder, file), join(folder, `${file}.1`))
    server.kill('SIGUSR1')
    await until(async () => existsSync(join(folder, 'json.log')) || undefined)
    await requests('after')
    await request('GET /missing/page?x=%22 HTTP/1.0', 'curl/8.5.0')

    const sent = ['before', 'after'].flatMap((when) =>
      AGENTS.flatMap((agent) => Array.from({ length: EACH }, (_, n) => `${when} ${n} ${agent}`)),
    )
    for (const source of ['combined', 'json']) {
      const where = `WHERE p_source_id = '${source}' AND httpUserAgent NOT IN ('node', '')`
      const sql = `SELECT requestUri, httpUserAgent, status, bodyBytesSent, remoteAddr FROM logs.nginx_access ${where}`
      const rows = await until(async () => {
        const found = await caracal.query(sql).catch(() => [])
        return found.length > sent.length ? found : undefined
      })
      const missing = rows.find(([uri]) => uri === '/missing/page?x=%22')
      expect(missing).toMatchObject(['/missing/page?x=%22', 'curl/8.5.0', 404, expect.anything(), '127.0.0.1'])
      const seen = rows
        .filter((row) => row !== missing)
        .map(([uri, agent, status, bytes]) => {
          expect([status, String(bytes)]).toEqual([200, '5'])
          const [, when, n] = /^\/\?(\w+)-(\d+)$/.exec(uri as string) ?? []
          return `${when} ${n} ${agent}`
        })
      expect(seen.sort()).toEqual(sent.toSorted())
    }
    const errors = "SELECT level, client, request FROM logs.nginx_error WHERE p_source_id = 'errors' AND request LIKE '%missing%'"
    const [error] = await until(async () => {
      const found = await caracal.query(errors).catch(() => [])
      return found.length > 0 ? found : undefined
    })
    expect(error).toEqual(['error', '127.0.0.1', 'GET /missing/page?x=%22 HTTP/1.0'])
    expect(await caracal.query('SELECT source, message, raw FROM monitor.dead_letters')).toEqual([])
  })

  async function requests(when: string): Promise<void> {
    for (const agent of AGENTS)
      await Promise.all(Array.from({ length: EACH }, (_, n) => request(`GET /?${when}-${n} HTTP/1.0`, agent)))
  }

  /** Over a socket, as clients of HTTP refuse to send such headers. */
  async function request(line: string, agent: string): Promise<void> {
    const socket = connect(port, '127.0.0.1')
    socket.end(Buffer.from(`${line}\r\nHost: localhost\r\nUser-Agent: ${agent}\r\n\r\n`))
    socket.resume()
    await once(socket, 'close')
  }

  function configuration(): string {
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`)
    const names = ['remote_addr', 'time_iso8601', 'request', 'request_method', 'request_uri', 'status', 'body_bytes_sent']
    const members = [...names, 'http_user_agent'].map((name) => `"${name}":"$${name}"`)
    return `daemon off;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log notice;
events {}
http {
  ${temporary.join('\n  ')}
  log_format json escape=json '{${members.join(',')}}';
  access_log ${folder}/access.log combined;
  access_log ${folder}/json.log json;
  server {
    listen 127.0.0.1:${port};
    root ${folder}/html;
  }
}
`
  }
})

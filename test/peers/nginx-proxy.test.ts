import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Caracal, freePort } from '../support/caracal.ts'
import { testAuthority } from '../support/certificates.ts'
import { until } from '../support/until.ts'
import { debianPackages, either, program } from './support/installed.ts'

const nginx = either(
  () => program('nginx'),
  () => debianPackages(['nginx']),
)
const authority = testAuthority()
const page = readFileSync(join(import.meta.dirname, '../../docs/operations.md'), 'utf8')

/** The `location` of the documentation, for another port. */
function location(port: number): string {
  const [, text] = /^```nginx\n([\s\S]*?)^```$/m.exec(page)!
  return text!.replaceAll('127.0.0.1:4848', `127.0.0.1:${port}`)
}

describe.skipIf(nginx.why)(`Caracal behind nginx${nginx.why ? ` (${nginx.why})` : ''}`, () => {
  let folder: string
  let caracal: Caracal
  let server: ChildProcess
  let port: number

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'caracal-proxy-'))
    chmodSync(folder, 0o755)
    port = await freePort()
    const api = await freePort()
    const pair = authority.server('siem.example.com')
    writeFileSync(join(folder, 'cert.pem'), pair.cert)
    writeFileSync(join(folder, 'key.pem'), pair.key)
    const settings = {
      listen: `127.0.0.1:${api}`,
      public_url: 'https://siem.example.com/caracal',
      trusted_proxies: ['127.0.0.1'],
      sources: [{ type: 'http', id: 'web', log_types: ['Nginx.Access'] }],
      flush_ms: 100,
    }
    writeFileSync(join(folder, 'caracal.yml'), JSON.stringify(settings))
    writeFileSync(
      join(folder, 'nginx.conf'),
      `daemon off; error_log error.log; pid nginx.pid; events {}
http { access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
  server { listen 127.0.0.1:${port} ssl; server_name siem.example.com; ssl_certificate cert.pem; ssl_certificate_key key.pem;
${location(api)}
  location = /ready { return 204; } } }`,
    )
    const root = nginx.path!
    server = spawn(existsSync(join(root, 'usr')) ? join(root, 'usr/sbin/nginx') : root, ['-p', folder, '-c', 'nginx.conf'], {
      stdio: 'ignore',
    })
    await until(async () => (await call('/ready').catch(() => undefined))?.status)
    caracal = new Caracal({ port: api, dataDir: join(folder, 'data'), cwd: folder, args: ['--no-demo'] })
    await caracal.start()
  })
  afterEach(async () => {
    server.kill('SIGTERM')
    await caracal.end('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })

  /** A call over TLS to the name of the site, from another loopback address. */
  function call(path: string, { body, headers = {} }: { body?: string; headers?: Record<string, string> } = {}) {
    return new Promise<{ status: number; text: string; headers: NodeJS.Dict<string | string[]> }>((resolve, reject) => {
      const sent = request(
        {
          ...{ host: '127.0.0.1', port, path, servername: 'siem.example.com', ca: authority.certificate },
          localAddress: '127.0.0.77',
          method: body === undefined ? 'GET' : 'POST',
          headers: { host: 'siem.example.com', ...headers },
        },
        async (response) => {
          let text = ''
          for await (const chunk of response) text += chunk
          resolve({ status: response.statusCode!, text, headers: response.headers })
        },
      )
      sent.on('error', reject).end(body)
    })
  }

  const bearer = () => ({ authorization: `Bearer ${readFileSync(join(folder, 'data/token'), 'utf8').trim()}` })

  test('the API and ingest answer below the path of `public_url`, with the security headers', async () => {
    const health = await call('/caracal/api/v1/health', { headers: bearer() })
    expect(health).toMatchObject({ status: 200, headers: { 'x-frame-options': 'DENY', 'cache-control': 'no-store' } })
    expect((await call('/caracal/api/v1/health')).status).toBe(401)
    const line = '192.0.2.1 - - [01/Mar/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "curl"\n'
    expect((await call('/caracal/ingest/web', { body: line, headers: bearer() })).status).toBe(202)
    const rows = await until(async () => {
      const found = await caracal.query("SELECT remoteAddr FROM logs.nginx_access WHERE p_source_id = 'web'").catch(() => [])
      return found.length > 0 ? found : undefined
    })
    expect(rows).toEqual([['192.0.2.1']])
  })

  test('a larger body than nginx allows by default passes, as the documentation configures it', async () => {
    const line = '192.0.2.1 - - [01/Mar/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "curl"\n'
    const answer = await call('/caracal/ingest/web', { body: line.repeat(30_000), headers: bearer() })
    expect(answer.status).toBe(202)
  })

  test('live updates arrive while the stream is open, and one that was cut continues where it ended', async () => {
    /** Opens the stream and resolves with the ids and kinds of its events once `isEnough` of them. */
    const events = (isEnough: (text: string) => boolean, headers: Record<string, string> = {}) =>
      new Promise<string>((resolve, reject) => {
        const path = '/caracal/api/v1/stream?kind=content.swapped'
        const own = { host: 'siem.example.com', ...bearer(), ...headers }
        const to = { host: '127.0.0.1', port, path, servername: 'siem.example.com', ca: authority.certificate, headers: own }
        const sent = request(to, (response) => {
          let text = ''
          opened()
          response.on('data', (chunk: Buffer) => {
            text += chunk
            if (!isEnough(text)) return
            resolve(text)
            response.destroy()
          })
        })
        sent.on('error', reject).end()
      })
    let opened = () => {}
    const open = new Promise<void>((resolve) => {
      opened = resolve
    })
    const change = async (name: string) => {
      const yaml = `AnalysisType: rule\nRuleID: ${name}\nEnabled: true\nLogTypes: [Nginx.Access]\nSeverity: Info\nDetection:\n  - { KeyPath: status, Condition: Equals, Value: 599 }\n`
      mkdirSync(join(folder, 'content'), { recursive: true })
      writeFileSync(join(folder, `content/${name}.yml`), yaml)
      expect((await caracal.fetch('/api/v1/content/reload', { method: 'POST' })).status).toBe(200)
    }
    const idsOf = (text: string) => [...text.matchAll(/^id: ?(\S+)$/gm)].map(([, id]) => id!)
    const count = (n: number) => (text: string) => idsOf(text).length >= n && text.endsWith('\n\n')

    // It never ends: were it collected by nginx, no event would arrive.
    const first = events(count(1))
    await open
    await change('One')
    const [seen] = idsOf(await first)
    await change('Two')
    await change('Three')
    const later = await events(count(2), { 'last-event-id': seen! })
    expect(idsOf(later)).not.toContain(seen)
    expect(later.match(/"kind":"content.swapped"/g)).toHaveLength(2)
  })

  test('a call for the name of another site is refused', async () => {
    const answer = await fetch(`http://127.0.0.1:${caracal.port}/api/v1/health`, { headers: { ...bearer() } })
    expect(answer.status).toBe(200)
    const { status } = await call('/caracal/api/v1/health', { headers: { ...bearer(), host: 'evil.example' } })
    expect(status).toBe(421)
  })
})

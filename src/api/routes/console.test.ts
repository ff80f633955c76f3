import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { Hono } from 'hono'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Config } from '../../config/config.ts'
import { consoleFiles, consolePage, consoleRoutes } from './console.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'caracal-console-'))
  mkdirSync(join(folder, 'assets'))
  writeFileSync(join(folder, 'index.html'), '<!doctype html><html><head><title>Caracal</title></head></html>')
  writeFileSync(join(folder, 'assets/index-1a2b.js'), 'console.log(1)')
  writeFileSync(join(folder, 'colour-scheme.js'), 'first()')
  writeFileSync(join(folder, 'built-from.txt'), 'not served')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function app(public_url?: string) {
  const files = consoleFiles(folder)
  const config = { public_url } as Config
  const app = new Hono().route('/', consoleRoutes(files))
  app.notFound((c) => consolePage(files, { config }, c) ?? c.text('nothing', 404))
  return app
}
const page = { headers: { accept: 'text/html,application/xhtml+xml' } }

test.each(['/alerts', '/alerts/5f?severity=HIGH', '/sources/a.b', '/ingestion'])(
  '%s is the page, for a browser',
  async (path) => {
    const response = await app().request(path, page)
    expect(response.status).toBe(200)
    expect(await response.text()).toContain('<title>Caracal</title>')
    expect((await app().request(path)).status).toBe(404)
    expect((await app().request(path, { ...page, method: 'POST' })).status).toBe(404)
  },
)

test.each(['/api/v1/alert', '/api', '/ingest/x', '/mcp', '/metrics', '/healthz', '/assets/index-old.js'])(
  '%s is never the page',
  async (path) => {
    expect((await app().request(path, page)).status).toBe(404)
  },
)

test('nothing inline runs, and each page has a nonce of its own for styles', async () => {
  const [one, other] = await Promise.all([app().request('/alerts', page), app().request('/alerts', page)])
  const policy = one.headers.get('content-security-policy')!
  expect(policy).toContain("script-src 'self';")
  expect(policy).not.toContain('unsafe')
  const nonce = /'nonce-([^']+)'/.exec(policy)![1]!
  expect(await one.text()).toContain(`<meta name="csp-nonce" content="${nonce}" />`)
  expect(other.headers.get('content-security-policy')).not.toBe(policy)
})

test.each([
  [undefined, '/'],
  ['https://siem.example', '/'],
  ['https://example.org/siem', '/siem/'],
  ['https://example.org/a/%22%3E%3Cscript%3E/', '/a/%22%3E%3Cscript%3E/'],
])('below %s, links begin with %s', async (url, base) => {
  const response = await app(url).request('/alerts', page)
  expect(await response.text()).toContain(`<base href="${base}" />`)
})

test('files are kept by the browser if their name has a hash, and sent compressed to whom takes that', async () => {
  const response = await app().request('/assets/index-1a2b.js', { headers: { 'accept-encoding': 'br, gzip' } })
  expect(response.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
  expect(response.headers.get('cache-control')).toContain('immutable')
  expect(response.headers.get('content-encoding')).toBe('gzip')
  expect(gunzipSync(await response.arrayBuffer()).toString()).toBe('console.log(1)')
  const plain = await app().request('/colour-scheme.js')
  expect(plain.headers.get('cache-control')).toBe('no-cache')
  expect(await plain.text()).toBe('first()')
  expect((await app().request('/built-from.txt', page)).headers.get('content-type')).toContain('text/html')
})

test('without a built console there is no page', async () => {
  expect(consoleFiles(join(folder, 'nothing'))).toBeUndefined()
})

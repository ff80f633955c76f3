import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { type Context, Hono } from 'hono'
import type { Engine } from '../../engine/engine.ts'

const FOLDER = join(dirname(fileURLToPath(import.meta.url)), '../../console')

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** Paths of programs: what is not there is an error, not a page. */
const OF_PROGRAMS = /^\/(?:api|ingest|mcp|metrics|healthz|assets)(?:\/|$)/

/** The built console: files in memory, since the folder may be replaced while the program runs. */
export interface ConsoleFiles {
  readonly page: string
  /** By path. */
  readonly files: ReadonlyMap<string, ConsoleFile>
}

interface ConsoleFile {
  readonly type: string
  readonly body: Uint8Array<ArrayBuffer>
  /** The same, compressed with gzip: when it is first asked for, since a start need not wait for it. */
  gzip(): Uint8Array<ArrayBuffer>
}

/** Reads the console of this build; `undefined` if it was built without. */
export function consoleFiles(folder = FOLDER): ConsoleFiles | undefined {
  let names: string[]
  try {
    names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  } catch {
    return undefined
  }
  const files = names.flatMap((name) => {
    const type = TYPES[extname(name)]
    if (!type) return []
    const body = new Uint8Array(readFileSync(join(folder, name)))
    let compressed: Uint8Array<ArrayBuffer> | undefined
    const gzip = () => (compressed ??= new Uint8Array(gzipSync(body)))
    return [[`/${name.replaceAll('\\', '/')}`, { type, body, gzip }] as const]
  })
  return { page: readFileSync(join(folder, 'index.html'), 'utf8'), files: new Map(files) }
}

/** The console's files. Those below `/assets` carry a hash of their content in their name, so browsers may keep them. */
export function consoleRoutes(console: ConsoleFiles | undefined): Hono {
  const app = new Hono()
  for (const [path, { type, body, gzip }] of console?.files ?? []) {
    const kept = path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache'
    const headers = { 'content-type': type, 'cache-control': kept, vary: 'accept-encoding' }
    app.get(path, (c) => {
      const takesGzip = /\bgzip\b/.test(c.req.header('accept-encoding') ?? '')
      return takesGzip ? c.body(gzip(), 200, { ...headers, 'content-encoding': 'gzip' }) : c.body(body, 200, headers)
    })
  }
  return app
}

/**
 * The page for a browser that asks for it; `undefined` for programs and for paths that belong to them. The console itself knows the rest
 * of the path. The nonce is for the style elements that its libraries make; there is no inline script.
 */
export function consolePage(console: ConsoleFiles | undefined, engine: Pick<Engine, 'config'>, c: Context): Response | undefined {
  const wantsPage = c.req.method === 'GET' && (c.req.header('accept') ?? '').includes('text/html')
  if (!console || !wantsPage || OF_PROGRAMS.test(c.req.path)) return undefined
  const nonce = randomBytes(18).toString('base64')
  const base = new URL(engine.config.public_url ?? 'http://localhost/').pathname.replace(/\/?$/, '/')
  const head = `<base href="${escaped(base)}" /><meta name="csp-nonce" content="${nonce}" />`
  return c.html(console.page.replace('<head>', `<head>${head}`), 200, { 'content-security-policy': policy(nonce) })
}

function policy(nonce: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'self'",
    "frame-ancestors 'none'",
  ].join('; ')
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)
}

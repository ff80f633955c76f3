import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Caracal, freePort } from './support/caracal.ts'

const CONNECTIONS = 10_000
/** More than each connection needs, far less than a body may have. */
const BYTES_EACH = 32 * 1024

/** Both this process and the program hold one file each; both inherit this limit. */
const files = openFiles()
const why = files < CONNECTIONS + 1000 ? `only ${files} open files are allowed` : undefined

let folder: string
let caracal: Caracal
let httpPort: number
let syslogPort: number
let forwardPort: number
let sockets: Socket[] = []

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'caracal-connections-'))
  httpPort = await freePort()
  syslogPort = await freePort()
  forwardPort = await freePort()
  const sources = [
    { type: 'syslog', id: 'net', listen: `127.0.0.1:${syslogPort}` },
    { type: 'fluent_forward', id: 'forward', listen: `127.0.0.1:${forwardPort}`, max_connections: 100 },
  ]
  writeFileSync(join(folder, 'caracal.yml'), JSON.stringify({ listen: `127.0.0.1:${httpPort}`, sources, flush_ms: 100 }))
  caracal = new Caracal({ port: httpPort, dataDir: join(folder, 'data'), cwd: folder, args: ['--no-demo'] })
  await caracal.start()
})
afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  sockets = []
  await caracal.end('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

test.skipIf(why)(
  `10,000 connections at once keep nobody out and cost little memory${why ? ` (${why})` : ''}`,
  { timeout: 300_000 },
  async () => {
    await send(0)
    const before = memory()

    // Requests that never end: a few bytes of a head, or of a body.
    const heads = [
      'GET / HTTP/1.1\r\nX: ',
      'POST /ingest/default HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n{"a":',
    ]
    await openMany(httpPort, CONNECTIONS, (i) => heads[i % 2]!)
    await send(1)
    await listed()
    closeAll()

    // Senders of syslog that each keep their connection, as devices do.
    await openMany(syslogPort, CONNECTIONS, (i) => `<13>1 2026-01-02T03:04:05Z host app ${i} - - message\n`)
    await send(2)
    await stored('SELECT uniqExact(procid), count() FROM logs.syslog_rfc5424', [String(CONNECTIONS), String(CONNECTIONS)])
    closeAll()

    // Beyond a limit of its own, a source refuses and says so.
    await openMany(forwardPort, 2000, () => '')
    expect(await shownOf('forward')).toMatch(/connections? (was|were) refused.*there are 100 already \(`max_connections`\)/)
    closeAll()

    await send(3)
    // These records are in no known format, but they were acknowledged, so they are kept.
    await stored("SELECT count() FROM monitor.dead_letters WHERE source = 'default'", ['4'])
    expect((memory() - before) / CONNECTIONS).toBeLessThan(BYTES_EACH)
  },
)

/** A sender with a token is served: 2xx. */
async function send(n: number): Promise<void> {
  const response = await caracal.fetch('/ingest/default', { method: 'POST', body: JSON.stringify({ n, note: 'still served' }) })
  expect(response.status).toBeLessThan(300)
}

async function listed(): Promise<void> {
  expect((await caracal.fetch('/api/v1/sources')).status).toBe(200)
}

async function shownOf(id: string): Promise<string> {
  for (;;) {
    const text = await (await caracal.fetch('/api/v1/sources')).text()
    const { results } = JSON.parse(text) as { results: { id: string }[] }
    const shown = JSON.stringify(results.find((source) => source.id === id))
    if (shown.includes('refused')) return shown
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

async function stored(sql: string, row: readonly string[]): Promise<void> {
  for (;;) {
    const [found] = await caracal.query(sql).catch(() => [])
    if (JSON.stringify(found?.map(String)) === JSON.stringify(row)) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/** Opens connections, some hundred at a time, and writes to each. Those that are closed by the other side count as opened. */
async function openMany(port: number, count: number, text: (i: number) => string): Promise<void> {
  for (let from = 0; from < count; from += 250) {
    await Promise.all(
      Array.from({ length: Math.min(250, count - from) }, async (_, i) => {
        const socket = connect(port, '127.0.0.1')
        socket.on('error', () => {})
        sockets.push(socket)
        await Promise.race([once(socket, 'connect'), once(socket, 'close')])
        if (!socket.destroyed) socket.write(text(from + i))
      }),
    )
  }
}

function closeAll(): void {
  for (const socket of sockets) socket.destroy()
  sockets = []
}

/** Memory of the program in bytes. */
function memory(): number {
  const [, kilobytes] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${caracal.pid}/status`, 'utf8')) ?? []
  return Number(kilobytes) * 1024
}

/** How many files a process may have open; 0 where that is not known. */
function openFiles(): number {
  try {
    return Number(/Max open files\s+(\d+)/.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}

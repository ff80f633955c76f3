import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const ENV = {
  PATH: process.env['PATH'] ?? '',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@example.com',
  GIT_COMMITTER_NAME: 'a',
  GIT_COMMITTER_EMAIL: 'a@example.com',
}

/** A repository that git's own server program serves over HTTP, on 127.0.0.1. */
export class GitServer {
  readonly folder = mkdtempSync(join(tmpdir(), 'caracal-git-server-'))
  readonly work = join(this.folder, 'rules')
  /** The required `user:password`. */
  credentials: string | undefined
  /** Requests that were answered. */
  requests = 0
  #server: Server | undefined
  #port = 0

  constructor() {
    mkdirSync(this.work)
    this.git('init', '--quiet', '-b', 'main')
    this.git('config', 'uploadpack.allowFilter', 'true')
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/rules/.git`
  }

  git(...args: readonly string[]): string {
    return execFileSync('git', ['-C', this.work, ...args], {
      env: ENV,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim()
  }

  write(files: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.work, name)), { recursive: true })
      writeFileSync(join(this.work, name), text)
    }
  }

  /** Commits these files in addition to the existing ones; returns the commit. */
  commit(files: Readonly<Record<string, string>> = {}): string {
    this.write(files)
    this.git('add', '--all', '--force')
    this.git('commit', '--quiet', '--allow-empty', '-m', 'change')
    return this.git('rev-parse', 'HEAD')
  }

  async listen(): Promise<void> {
    const server = createServer((request, response) => this.#answer(request, response))
    this.#server = server
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve))
    this.#port = (server.address() as AddressInfo).port
  }

  /** Simulates a network failure: the port is closed. */
  async away(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    server?.closeAllConnections()
    if (server) await new Promise((resolve) => server.close(resolve))
  }

  async close(): Promise<void> {
    await this.away()
    rmSync(this.folder, { recursive: true, force: true })
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    this.requests++
    const { credentials } = this
    const given = Buffer.from(request.headers.authorization?.replace(/^Basic /, '') ?? '', 'base64').toString()
    if (credentials !== undefined && given !== credentials) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="rules"' }).end('who are you?')
      return
    }
    const url = new URL(request.url ?? '/', 'http://x')
    const header = (name: string) => String(request.headers[name] ?? '')
    const child = spawn('git', ['http-backend'], {
      env: {
        ...ENV,
        GIT_PROJECT_ROOT: this.folder,
        GIT_HTTP_EXPORT_ALL: '1',
        REQUEST_METHOD: request.method,
        PATH_INFO: url.pathname,
        QUERY_STRING: url.search.slice(1),
        CONTENT_TYPE: header('content-type'),
        HTTP_CONTENT_ENCODING: header('content-encoding'),
        GIT_PROTOCOL: header('git-protocol'),
      },
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    child.stdin.on('error', () => {})
    request.pipe(child.stdin)
    const chunks: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.on('close', () => {
      const answer = Buffer.concat(chunks)
      const end = answer.indexOf('\r\n\r\n')
      const headers = answer
        .subarray(0, end)
        .toString()
        .split('\r\n')
        .map((line): [string, string] => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()])
      const status = headers.find(([name]) => name === 'Status')?.[1]
      response.writeHead(Number.parseInt(status ?? '200', 10), Object.fromEntries(headers.filter(([name]) => name !== 'Status')))
      response.end(answer.subarray(end + 4))
    })
  }
}

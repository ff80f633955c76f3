// Drives the program as its users do: the command line, and a server with its HTTP port.
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from '../lib/free-port.mjs'

export const root = join(dirname(fileURLToPath(import.meta.url)), '../..')
const program = join(root, 'bin/caracal.js')

const COMMAND_MS = 300_000
const ANSWER_MS = 180_000
const POLL_MS = 100

const folders = []
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** A folder that is removed when the process ends. */
export function temporaryFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'caracal-case-'))
  folders.push(folder)
  return folder
}

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** Runs a program to its end: `{ code, out, err }`, `code` null when it was ended after five minutes. */
export function execute(command, args, { input, cwd = temporaryFolder() } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ['pipe', 'pipe', 'pipe'], timeout: COMMAND_MS })
    const out = []
    const err = []
    child.stdout.on('data', (chunk) => out.push(chunk))
    child.stderr.on('data', (chunk) => err.push(chunk))
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() }))
    child.stdin.on('error', () => {})
    child.stdin.end(input ?? '')
  })
}

/** `caracal ARGS`. */
export function caracal(args, options) {
  return execute(process.execPath, [program, ...args], options)
}

/** What `caracal run ARGS` gives: `{ code, err, rows }`, the rows parsed except for whole numbers that JavaScript would round. */
export async function run(args, options) {
  const { code, out, err } = await caracal(['run', ...args], options)
  const lines = out.split('\n').filter(Boolean)
  return { code, err, lines, rows: lines.map((line) => JSON.parse(line)) }
}

/** One test file of the repository, or the tests in it whose names hold `name`: `{ passed, failed, text }`. */
export async function testEntry(file, name) {
  const args = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', file, '--reporter=json', '--maxWorkers=1']
  const { out, err } = await execute(process.execPath, name ? [...args, '-t', name] : args, { cwd: root })
  try {
    const { numPassedTests: passed, numFailedTests: failed } = JSON.parse(out.slice(out.indexOf('{')))
    return { passed, failed, text: failed > 0 ? err.slice(-2000) : '' }
  } catch {
    return { passed: 0, failed: 1, text: (out + err).slice(-2000) }
  }
}

/** `caracal up` in its own folder, `folder`. */
export class Server {
  #child
  #port
  #output = ''
  folder = temporaryFolder()

  /** Starts it with this text as `caracal.yml` (whose `listen` is replaced) and resolves when it answers. */
  async start(config = '', args = []) {
    this.#port = await freePort()
    const text = config.replace(/^listen:.*$/m, '')
    writeFileSync(join(this.folder, 'caracal.yml'), `listen: 127.0.0.1:${this.#port}\n${text}`)
    mkdirSync(join(this.folder, 'snap'), { recursive: true })
    this.#child = spawn(process.execPath, [program, 'up', '--no-demo', ...args], {
      cwd: this.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const keep = (chunk) => {
      this.#output = (this.#output + chunk).slice(-20_000)
    }
    this.#child.stdout.on('data', keep)
    this.#child.stderr.on('data', keep)
    await until('the server answers', async () => {
      if (this.#child.exitCode !== null) throw new Error(`caracal up ended (${this.#child.exitCode}):\n${this.#output}`)
      return (await fetch(`http://127.0.0.1:${this.#port}/healthz`).catch(() => undefined))?.ok
    })
    return this
  }

  async stop() {
    if (!this.#child || this.#child.exitCode !== null) return
    const ended = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill('SIGTERM')
    await ended
  }

  async fetch(path, init = {}) {
    const token = readFileSync(join(this.folder, 'data/token'), 'utf8').trim()
    return fetch(`http://127.0.0.1:${this.#port}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${token}`, ...init.headers },
    })
  }

  async get(path) {
    const response = await this.fetch(`/api/v1${path}`)
    if (!response.ok) throw new Error(`GET ${path} answered ${response.status}: ${await response.text()}`)
    return response.json()
  }

  /** The source's counts of records, once nothing of it is in flight and `received` records have come (or none do any more). */
  async records(id, received) {
    let records
    await until(
      `${received} records of ${id}`,
      async () => {
        records = (await this.get('/sources')).results.find((source) => source.id === id)?.records
        return records && records.in_flight === 0 && records.received >= received
      },
      30_000,
    ).catch(() => {})
    return records
  }

  async alerts() {
    return (await this.get('/alerts')).results
  }

  async query(sql) {
    const headers = { 'content-type': 'application/json' }
    const response = await this.fetch('/api/v1/query', { method: 'POST', headers, body: JSON.stringify({ sql }) })
    const text = await response.text()
    if (!response.ok) throw new Error(`the query answered ${response.status}: ${text}`)
    return JSON.parse(text).rows
  }
}

/** Resolves when `check` returns something truthy; rejects after `limitMs`. */
export async function until(what, check, limitMs = ANSWER_MS) {
  const end = Date.now() + limitMs
  while (!(await check())) {
    if (Date.now() > end) throw new Error(`waited ${limitMs / 1000} s in vain until ${what}`)
    await pause(POLL_MS)
  }
}

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContext, BrowserContextOptions, Page, Request } from 'playwright-core'
import { Caracal, freePort } from '../../support/caracal.ts'
import { launchBrowser } from './browser.ts'

type StorageState = Awaited<ReturnType<BrowserContext['storageState']>>

interface Person {
  readonly email: string
  readonly password: string
}

interface ConsoleOptions {
  /** More options of `caracal up`. */
  readonly args?: readonly string[]
  /** Options of Node itself. */
  readonly nodeArgs?: readonly string[]
  /** Default: a free one. */
  readonly port?: number
}

export const ADMIN = { email: 'ana@example.org', name: 'Ana', password: 'a long password of ana' }

/** Rounds in a row, 80 ms apart, in which a page has nothing to do. */
const QUIET_ROUNDS = 5

/** Whether something is shown and nothing is still a placeholder. Work that the page has queued, as React does, runs before the answer. */
const IS_RENDERED = `new Promise((answer) => {
  const { port1, port2 } = new MessageChannel()
  port1.onmessage = () =>
    answer(
      document.readyState === 'complete' &&
        document.body.innerText.trim() !== '' &&
        document.querySelector('[aria-busy="true"], .mantine-Skeleton-root[data-visible="true"]') === null,
    )
  port2.postMessage(0)
})`

/** The program with the bundled sample, and a browser to look at it with. */
export class TestConsole {
  readonly caracal: Caracal
  readonly url: string
  /** What the pages reported: errors of scripts, refusals of the Content-Security-Policy. */
  readonly complaints: string[] = []
  readonly #browser: Browser
  readonly #folder: string
  /** Requests that have no answer yet. */
  readonly #open = new WeakMap<Page, Set<Request>>()
  #session: StorageState | undefined

  private constructor(caracal: Caracal, browser: Browser, folder: string) {
    this.caracal = caracal
    this.url = `http://127.0.0.1:${caracal.port}`
    this.#browser = browser
    this.#folder = folder
  }

  static async start({ args = [], nodeArgs = [], port }: ConsoleOptions = {}): Promise<TestConsole> {
    port ??= await freePort()
    const folder = mkdtempSync(join(tmpdir(), 'caracal-console-'))
    const dataDir = join(folder, 'data')
    const caracal = new Caracal({
      port,
      dataDir,
      cwd: folder,
      args: ['--data-dir', dataDir, '--listen', `127.0.0.1:${port}`, ...args],
      nodeArgs,
    })
    const [browser] = await Promise.all([launchBrowser(), caracal.start()])
    const console = new TestConsole(caracal, browser, folder)
    await console.#makeAdmin()
    return console
  }

  async #makeAdmin(): Promise<void> {
    const { link } = (await this.post('/api/v1/users/first-link', {})) as { link: string }
    await this.post('/api/v1/sign-in/link', { ...ADMIN, code: new URL(link).searchParams.get('code') })
  }

  /** A call with the data folder's token. */
  async post(path: string, body: unknown): Promise<unknown> {
    const headers = { 'content-type': 'application/json' }
    const response = await this.caracal.fetch(path, { method: 'POST', headers, body: JSON.stringify(body) })
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`)
    return response.json()
  }

  /** A browser of its own, in which nobody is signed in. */
  async visitor(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.#browser.newContext({ viewport: { width: 1360, height: 860 }, ...options })
    return this.#watched(await context.newPage())
  }

  /** A page on which the administrator is signed in. */
  async page(path: string, options: BrowserContextOptions = {}): Promise<Page> {
    this.#session ??= await this.signedIn(ADMIN)
    const page = await this.visitor({ storageState: this.#session, ...options })
    await page.goto(`${this.url}${path}`)
    return page
  }

  /** A page on which somebody is signed in who may read everything and change nothing. */
  async viewerPage(path: string): Promise<Page> {
    const viewer = { email: 'vera@example.org', password: 'a long password of vera' }
    const { link } = (await this.post('/api/v1/users', { email: viewer.email, name: 'Vera', role: 'viewer' })) as { link: string }
    await this.post('/api/v1/sign-in/link', { code: new URL(link).searchParams.get('code'), password: viewer.password })
    const page = await this.visitor({ storageState: await this.signedIn(viewer) })
    await page.goto(`${this.url}${path}`)
    return page
  }

  /** The session of somebody who signs in, for the contexts of pages. */
  async signedIn({ email, password }: Person): Promise<StorageState> {
    const page = await this.visitor()
    const call = page.context().request
    const headers = { origin: this.url }
    const answer = await call.post(`${this.url}/api/v1/sign-in`, { data: { email, password }, headers })
    if (!answer.ok()) throw new Error(`signing in was answered ${answer.status()}: ${await answer.text()}`)
    const state = await page.context().storageState()
    await page.context().close()
    return state
  }

  /** Alerts that meet a filter, as the API answers. */
  async alerts(filter: string): Promise<readonly Record<string, unknown>[]> {
    const response = await this.caracal.fetch(`/api/v1/alerts?${filter}`)
    return ((await response.json()) as { results: Record<string, unknown>[] }).results
  }

  /** Resolves when the page is rendered and waits for nothing but live updates. */
  async settled(page: Page): Promise<void> {
    for (let quiet = 0; quiet < QUIET_ROUNDS; quiet = (await this.#isQuiet(page)) ? quiet + 1 : 0) await page.waitForTimeout(80)
  }

  /** On a slow machine a page without open requests may still run its scripts, or not have begun to. */
  async #isQuiet(page: Page): Promise<boolean> {
    const open = this.#open.get(page)!
    if (open.size > 0) return false
    try {
      return (await page.evaluate(IS_RENDERED)) === true && open.size === 0
    } catch (error) {
      // A page that is left for another one cannot answer.
      if (page.isClosed() || !/context was destroyed|navigation/i.test(String(error))) throw error
      return false
    }
  }

  async end(): Promise<void> {
    await this.#browser.close()
    await this.caracal.end('SIGTERM')
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #watched(page: Page): Page {
    const open = new Set<Request>()
    this.#open.set(page, open)
    page.on('request', (request) => {
      if (request.resourceType() !== 'eventsource') open.add(request)
    })
    page.on('requestfinished', (request) => open.delete(request))
    page.on('requestfailed', (request) => open.delete(request))
    page.on('pageerror', (error) => this.complaints.push(error.message))
    page.on('console', (message) => {
      if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) this.complaints.push(message.text())
    })
    return page
  }
}

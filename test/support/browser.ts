import { createApp } from '../../src/api/app.ts'
import type { FakeEngine } from './fake-engine.ts'

/** A browser that keeps cookies and says where its calls come from, as browsers do. Calls stay in memory. */
export class Browser {
  readonly cookies = new Map<string, string>()
  readonly #app: ReturnType<typeof createApp>
  /** The peer's address. */
  address = '127.0.0.1'
  /** Headers with every call. */
  headers: Record<string, string> = { 'sec-fetch-site': 'same-origin' }

  constructor(engine: FakeEngine) {
    this.#app = createApp(engine)
  }

  async call(method: string, path: string, body?: object | string, headers: Record<string, string> = {}): Promise<Response> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const isForm = body instanceof URLSearchParams
    const response = await this.#app.request(
      `http://127.0.0.1:4848${path}`,
      {
        method,
        redirect: 'manual',
        headers: {
          ...this.headers,
          ...(cookie && { cookie }),
          ...(body !== undefined && { 'content-type': isForm ? 'application/x-www-form-urlencoded' : 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: typeof body === 'string' ? body : isForm ? String(body) : JSON.stringify(body) }),
      },
      { incoming: { socket: { remoteAddress: this.address } } },
    )
    for (const set of response.headers.getSetCookie()) this.#keep(set)
    return response
  }

  /** The status and what the body says. */
  async ask(method: string, path: string, body?: object, headers?: Record<string, string>) {
    const response = await this.call(method, path, body, headers)
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }

  /** Signs in with a password. */
  signIn(email: string, password: string) {
    return this.ask('POST', '/api/v1/sign-in', { email, password })
  }

  #keep(set: string): void {
    const [pair = '', ...attributes] = set.split('; ')
    const at = pair.indexOf('=')
    const [name, value] = [pair.slice(0, at), pair.slice(at + 1)]
    if (value === '' || attributes.some((one) => /^max-age=0$/i.test(one))) this.cookies.delete(name)
    else this.cookies.set(name, value)
  }
}

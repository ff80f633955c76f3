import type { IncomingMessage, ServerResponse } from 'node:http'
import { type WebSocket, WebSocketServer } from 'ws'
import { type Received, TestServer } from './servers.ts'

export const BOT_TOKEN = 'xoxb-test'
export const APP_TOKEN = 'xapp-test'
export const WORKSPACE = 'T0000TEST'
export const APP = 'A0000TEST'
export const CHANNEL = 'C0000TEST'

/** A call of the Web API, as the server received it. */
export interface SlackCall {
  readonly method: string
  readonly body: Readonly<Record<string, never>>
}

/** The blocks of a message, as far as tests look at them. */
export interface SlackMessage {
  readonly ts: string
  readonly thread_ts?: string
  readonly text: string
  readonly blocks: readonly { readonly type: string; readonly elements?: readonly Record<string, never>[] }[]
}

/**
 * A Slack workspace on 127.0.0.1: the methods of the Web API that the destination calls, each of which checks its token and arguments as
 * documented under https://docs.slack.dev/reference/methods, and Socket Mode as documented under
 * https://docs.slack.dev/apis/events-api/using-socket-mode. Tickets in the URLs of connections are good for one connection.
 */
export class SlackServer {
  readonly calls: SlackCall[] = []
  /** The messages of the channel as they are now, by `ts`. */
  readonly messages = new Map<string, SlackMessage>()
  /** Open connections, oldest first. */
  readonly sockets: WebSocket[] = []
  /** Envelopes that were acknowledged. */
  readonly acknowledged: string[] = []
  /** Texts shown to one person. */
  readonly whispers: { readonly user: string; readonly text: string }[] = []
  /** If set, the error with which a method is refused. */
  readonly refuses = new Map<string, string>()
  readonly #http = new TestServer()
  readonly #upgrades = new WebSocketServer({ noServer: true })
  readonly #tickets = new Set<string>()
  #serial = 0

  async listen(): Promise<this> {
    await this.#http.listen()
    this.#http.answer = (response, request) => this.#answer(response, request)
    this.#http.onUpgrade = (request, socket, head) => {
      if (!this.#tickets.delete(new URL(request.url!, 'ws://x').searchParams.get('ticket') ?? '')) return socket.destroy()
      this.#upgrades.handleUpgrade(request, socket, head, (opened) => this.#greet(opened))
    }
    return this
  }

  get url(): string {
    return `${this.#http.url}/api`
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.terminate()
    await this.#http.close()
  }

  /** A person presses a button of the message. Resolves with the id of the envelope. */
  press(ts: string, label: string, more: { user?: string; change?: (payload: object) => object; to?: WebSocket } = {}): string {
    const button = this.messages
      .get(ts)!
      .blocks.flatMap(({ type, elements = [] }) => (type === 'actions' ? elements : []))
      .find(({ text }) => (text as unknown as { text: string }).text === label)
    if (!button) throw new Error(`the message has no button '${label}'`)
    const user = more.user ?? 'U0000ANA'
    const payload = {
      type: 'block_actions',
      user: { id: user, username: 'ana', name: 'ana', team_id: WORKSPACE },
      api_app_id: APP,
      token: 'verification',
      container: { type: 'message', message_ts: ts, channel_id: CHANNEL, is_ephemeral: false },
      trigger_id: '12.34.abc',
      team: { id: WORKSPACE, domain: 'test' },
      enterprise: null,
      channel: { id: CHANNEL, name: 'alerts' },
      response_url: 'https://hooks.slack.com/actions/x',
      actions: [{ ...(button as object), block_id: 'b', action_ts: '1.2' }],
    }
    return this.send('interactive', more.change?.(payload) ?? payload, {}, more.to)
  }

  /** Sends an envelope on a connection, by default on the newest. */
  send(type: string, payload: unknown, more: { id?: string } = {}, to = this.sockets.at(-1)!): string {
    const id = more.id ?? `envelope-${++this.#serial}`
    to.send(JSON.stringify({ type, payload, envelope_id: id, accepts_response_payload: false }))
    return id
  }

  /** Announces that a connection will be closed, as Slack does. */
  disconnect(reason: 'warning' | 'refresh_requested' | 'link_disabled', from = this.sockets.at(-1)!): void {
    from.send(JSON.stringify({ type: 'disconnect', reason, debug_info: { host: 'wss-111.slack.com' } }))
  }

  #greet(socket: WebSocket): void {
    this.sockets.push(socket)
    socket.on('close', () => this.sockets.splice(this.sockets.indexOf(socket), 1))
    socket.on('message', (data) => {
      const { envelope_id: id } = JSON.parse(String(data)) as { envelope_id: string }
      this.acknowledged.push(id)
    })
    socket.send(
      JSON.stringify({
        type: 'hello',
        connection_info: { app_id: APP },
        num_connections: this.sockets.length,
        debug_info: {
          host: 'applink-1',
          started: '2026-01-01 00:00:00.000',
          build_number: 1,
          approximate_connection_time: 18060,
        },
      }),
    )
  }

  #answer(response: ServerResponse<IncomingMessage>, { method: verb, url, headers, body }: Received): void {
    const method = url.replace('/api/', '')
    const args = JSON.parse(body) as Record<string, never>
    this.calls.push({ method, body: args })
    const token = method === 'apps.connections.open' ? APP_TOKEN : BOT_TOKEN
    const error =
      verb !== 'POST'
        ? 'insecure_request'
        : headers.authorization !== `Bearer ${token}`
          ? 'invalid_auth'
          : (this.refuses.get(method) ?? this.#problem(method, args))
    const answer = error === undefined ? { ok: true, ...this.#do(method, args) } : { ok: false, error }
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
  }

  #problem(method: string, args: Readonly<Record<string, never>>): string | undefined {
    if (!method.startsWith('chat.')) return undefined
    if (args['channel'] !== CHANNEL) return 'channel_not_found'
    if (typeof args['text'] !== 'string') return 'no_text'
    if (method === 'chat.update' && !this.messages.has(args['ts']!)) return 'message_not_found'
    return method === 'chat.postEphemeral' && typeof args['user'] !== 'string' ? 'user_not_in_channel' : undefined
  }

  #do(method: string, args: Readonly<Record<string, never>>): object {
    const message = args as unknown as SlackMessage & { user: string }
    switch (method) {
      case 'apps.connections.open': {
        const ticket = `t${++this.#serial}`
        this.#tickets.add(ticket)
        return { url: `${this.#http.url.replace('http', 'ws')}/link/?ticket=${ticket}&app_id=${APP}` }
      }
      case 'auth.test':
        return {
          url: 'https://test.slack.com/',
          team: 'Test',
          user: 'caracal',
          team_id: WORKSPACE,
          user_id: 'UBOT',
          bot_id: 'B1',
        }
      case 'chat.postMessage': {
        const ts = `1700000000.${String(++this.#serial).padStart(6, '0')}`
        this.messages.set(ts, { ...message, ts })
        return { channel: CHANNEL, ts }
      }
      case 'chat.update':
        this.messages.set(message.ts, message)
        return { channel: CHANNEL, ts: message.ts }
      case 'chat.postEphemeral':
        this.whispers.push({ user: message.user, text: message.text })
        return { message_ts: '1.2' }
      default:
        throw new Error(`the destination called ${method}`)
    }
  }
}

/** What people see of a message besides the alert: the line about its progress, and the labels of its buttons. */
export function shownBelow({ blocks }: SlackMessage): { line: string | undefined; buttons: readonly string[] } {
  const texts = (type: string, pick: (element: Record<string, never>) => unknown) =>
    blocks.flatMap((block) => (block.type === type ? (block.elements ?? []).map(pick) : [])) as string[]
  return {
    line: texts('context', ({ text }) => text)[0],
    buttons: texts('actions', ({ text }) => (text as unknown as { text: string }).text),
  }
}

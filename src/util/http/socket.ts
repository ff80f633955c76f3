import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { type Dispatcher, ping, WebSocket } from 'undici'
import type { OpenSocket } from './open-socket.ts'
import { HttpError, shownUrl } from './send.ts'

const OPEN_TIMEOUT_MS = 15_000
/** How often the other side is asked for a sign of life; without one until the next time, the connection is closed. */
const PING_MS = 30_000
const PONG_CHANNEL = 'undici:websocket:pong'

/** `agentFor`: how the host of the https or http URL is reached. */
export function socketOpener(agentFor: (url: URL) => Dispatcher): OpenSocket {
  return (text, { onText, onClose }) => {
    const url = URL.canParse(text) ? new URL(text) : undefined
    if (url?.protocol !== 'wss:' && url?.protocol !== 'ws:') throw new HttpError('invalid', 'not the URL of a WebSocket')
    const overHttp = new URL(url.href.replace(/^ws/, 'http'))
    const socket = new WebSocket(url, { dispatcher: agentFor(overHttp), headers: { 'user-agent': 'caracal' } })
    const where = shownUrl(overHttp)
    let isAlive = true
    let isOver = false
    const onPong = (message: unknown) => {
      if ((message as { websocket?: unknown }).websocket === socket) isAlive = true
    }
    const end = (why: string) => {
      if (isOver) return
      isOver = true
      clearTimeout(opening)
      clearInterval(pinging)
      unsubscribe(PONG_CHANNEL, onPong)
      socket.close()
      onClose(why)
    }
    const opening = setTimeout(
      () => end(`${where} did not accept the connection within ${OPEN_TIMEOUT_MS / 1000} s`),
      OPEN_TIMEOUT_MS,
    )
    const pinging = setInterval(() => {
      if (socket.readyState !== WebSocket.OPEN) return
      if (!isAlive) return end(`${where} does not respond any more`)
      isAlive = false
      ping(socket)
    }, PING_MS)
    pinging.unref()
    subscribe(PONG_CHANNEL, onPong)
    socket.addEventListener('open', () => clearTimeout(opening))
    socket.addEventListener('message', ({ data }) => {
      isAlive = true
      if (!isOver && typeof data === 'string') onText(data)
    })
    socket.addEventListener('error', () => end(`the connection to ${where} failed`))
    socket.addEventListener('close', () => end(`${where} closed the connection`))
    return {
      send: (data) => {
        if (socket.readyState === WebSocket.OPEN) socket.send(data)
      },
      close: () => end('it was closed here'),
    }
  }
}

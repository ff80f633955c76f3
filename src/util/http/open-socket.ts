import { HttpError } from './send.ts'

/** What happens on a WebSocket. */
export interface SocketEvents {
  onText(text: string): void
  /** Called once, whoever closed it, and also if it could not be opened. A sentence without URL and without what the other side said. */
  onClose(why: string): void
}

/** An open or opening WebSocket. */
export interface Socket {
  /** Sends a text; does nothing if the connection is not open. */
  send(text: string): void
  close(): void
}

/** Opens a WebSocket (`ws:` or `wss:`). Throws `HttpError` for any other URL. */
export type OpenSocket = (url: string, events: SocketEvents) => Socket

/** For use where no connections may be opened. */
export const connectNowhere: OpenSocket = () => {
  throw new HttpError('invalid', 'this command opens no connections')
}

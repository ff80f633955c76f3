import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { TLSSocket } from 'node:tls'
import { ConfigError, messageOf } from '../util/errors.ts'

/**
 * A `fetch` for the server whose certificate is in this file. The server is on this machine and called by its address, which its
 * certificate rarely names, so it must present exactly that certificate instead. Throws `ConfigError` if the file cannot be read.
 */
export async function pinnedFetch(file: string): Promise<typeof fetch> {
  const expected = fingerprintIn(file)
  const { Agent, buildConnector, fetch: send } = await import('undici')
  const connect = buildConnector({ rejectUnauthorized: false })
  const dispatcher = new Agent({
    connect: (options, callback) =>
      connect(options, (error, socket) => {
        if (error) return callback(error, null)
        const { fingerprint256 } = (socket as TLSSocket).getPeerX509Certificate() ?? {}
        if (fingerprint256 === expected) return callback(null, socket!)
        socket!.destroy()
        callback(new Error(`the certificate that it presents is not the one in ${file}`), null)
      }),
  })
  return (async (url: string, init: object) => {
    const response = await send(url, { ...init, dispatcher })
    return response
  }) as unknown as typeof fetch
}

function fingerprintIn(file: string): string {
  try {
    return new X509Certificate(readFileSync(file)).fingerprint256
  } catch (error) {
    throw new ConfigError(`the certificate ${file} cannot be read: ${messageOf(error)}`, { path: 'tls.cert' }, { cause: error })
  }
}

import type { ServerOptions } from '../api/server.ts'
import type { Config } from '../config/config.ts'
import { environment } from '../config/env.ts'
import { listeningSources } from '../config/listening-sources.ts'
import { readKeyPair } from '../config/tls.ts'
import type { Log } from '../telemetry/log.ts'

/** How the configuration says to listen. */
export function serverOptions(config: Config, log: Log): ServerOptions {
  return {
    listen: config.listen,
    requestTimeoutMs: requestTimeoutMs(config),
    tls: config.tls && keyPairOf(config.tls),
    onTlsProblem: (message) => log.error(`A changed certificate cannot be used; the one before stays in use. ${message}`),
    prefix: prefixOf(config),
  }
}

function keyPairOf(tls: NonNullable<Config['tls']>) {
  return () => readKeyPair(tls, environment())
}

/** `/siem` of `https://example.com/siem`. */
function prefixOf({ public_url: url }: Config): string {
  return url === undefined ? '' : new URL(url).pathname.replace(/\/+$/, '')
}

/** At least as long as any source allows its senders. */
function requestTimeoutMs({ sources }: Config): number {
  return Math.max(60_000, ...[...listeningSources(sources).values()].map(({ requestMs }) => requestMs))
}

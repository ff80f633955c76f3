import { randomUUID } from 'node:crypto'
import { type Config, publicUrl } from '../config/config.ts'
import { environment } from '../config/env.ts'
import type { Severity } from '../model/rule.ts'
import { testAlert } from '../stages/deliver/test-alert.ts'
import { ConfigError } from '../util/errors.ts'
import type { Http } from '../util/http/http.ts'
import { openDestination } from './destinations.ts'

/** Longer than any destination's timeout. */
const MAX_MS = 120_000

/** Sends test alerts to configured destinations. */
export function destinationTester(config: Config, http: Pick<Http, 'configured' | 'socket' | 'trusted'>) {
  /** Rejects with `ConfigError` if there is no such destination, otherwise as the destination does. */
  return async (id: string, severity: Severity): Promise<void> => {
    const found = config.destinations.find((one) => one.id === id)
    if (!found) throw new ConfigError(`there is no destination '${id}'`)
    const write = (text: string) => void process.stdout.write(text)
    const destination = await openDestination(found, { env: environment(), http, write })
    try {
      const alert = testAlert(Date.now(), severity, publicUrl(config))
      await destination.send({ id: randomUUID(), kind: 'test', alert }, AbortSignal.timeout(MAX_MS))
    } finally {
      await destination.close()
    }
  }
}

import type { Config } from '../config/config.ts'
import { type Environment, resolveSecret } from '../config/env.ts'
import { httpSettings } from '../config/http.ts'
import { databaseSettings } from '../config/state.ts'
import { readKeyPair } from '../config/tls.ts'
import { sources as registry } from '../stages/source/index.ts'
import { find } from '../util/define.ts'
import { messageOf } from '../util/errors.ts'
import { connectNowhere } from '../util/http/open-socket.ts'
import { sendNothing } from '../util/http/send.ts'

/** Destinations that cannot be created, and missing secrets and files that the configuration refers to. Sends nothing. */
export async function checkSecrets(
  { content, destinations, http, keys, lake, sources, state, tls }: Config,
  env: Environment,
): Promise<string[]> {
  const { openDestination } = await import('../engine/destinations.ts')
  const problems: string[] = []
  const attempt = async (make: () => unknown) => {
    try {
      await make()
    } catch (error) {
      problems.push(messageOf(error))
    }
  }
  await attempt(() => httpSettings(http, env))
  if (tls) await attempt(() => readKeyPair(tls, env))
  if (state.type === 'postgres') await attempt(() => databaseSettings(state, env))
  if (lake.type === 'clickhouse')
    for (const reference of [lake.password, lake.reader.password]) await attempt(() => resolveSecret(reference, env))
  const unused = { configured: sendNothing, socket: connectNowhere, trusted: {} }
  for (const destination of destinations)
    await attempt(async () => (await openDestination(destination, { env, http: unused, write: () => {} })).close())
  for (const entry of content)
    if (typeof entry !== 'string' && entry.password) {
      const { password } = entry
      await attempt(() => resolveSecret(password, env))
    }
  for (const { value, user, session } of Object.values(keys))
    for (const reference of [value, user, session])
      if (typeof reference === 'object') await attempt(() => resolveSecret(reference, env))
  for (const source of sources)
    await attempt(() => {
      const { token, secrets = [] } = find('source', registry, source.type).listens?.(source as never) ?? {}
      for (const reference of token ? [token, ...secrets] : secrets) resolveSecret(reference, env)
    })
  return problems
}

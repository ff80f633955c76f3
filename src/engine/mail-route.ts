import type { Config } from '../config/config.ts'
import type { MailRoute } from '../pipeline/rows-mail.ts'

/** The destination through whose mail server the rows of queries are mailed: the first of type `email`. */
export function mailerIn({ destinations }: Pick<Config, 'destinations'>): string | undefined {
  return destinations.find(({ type }) => type === 'email')?.id
}

/** Where rows of queries are mailed through, if anything is configured for it. */
export function mailRoute({ config, baseUrl }: { readonly config: Config; readonly baseUrl: string }): MailRoute | undefined {
  const destination = mailerIn(config)
  return destination === undefined ? undefined : { destination, baseUrl }
}

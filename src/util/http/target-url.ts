import { z } from 'zod'

/** Why requests to a URL with a user name or password are refused. */
export const CREDENTIALS_IN_URL =
  'the URL holds a user name or password, which is not sent: leave it out and write the header Authorization instead'

/** True for `https://user:password@host/`. */
export function holdsCredentials(url: string | URL): boolean {
  if (!URL.canParse(String(url))) return false
  const { username, password } = new URL(url)
  return username !== '' || password !== ''
}

/** An http or https URL that requests are sent to. */
export const targetUrl = z.url({ protocol: /^https?$/ }).refine((url) => !holdsCredentials(url), { error: CREDENTIALS_IN_URL })

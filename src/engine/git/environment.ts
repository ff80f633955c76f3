import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { GitContent } from '../../config/content.ts'
import { type HttpSettings, usualAuthorities } from '../../util/http/http.ts'

export interface GitAccess {
  readonly http: HttpSettings
  /** Git's home folder, empty except for what is written here. */
  readonly home: string
  /** Where programs are found. */
  readonly path: string
  /** The repository's password. */
  readonly password: string | undefined
}

/**
 * Git's environment: no settings of the user or the machine, the configuration's proxy and certificate authorities, and the password, which
 * other users cannot see there, as they could on the command line.
 */
export function gitEnvironment({ git, username }: GitContent, { http, home, path, password }: GitAccess): Record<string, string> {
  const env: Record<string, string> = {
    PATH: path,
    HOME: home,
    XDG_CONFIG_HOME: home,
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
  }
  const { https, http: plain, except } = http.proxy
  if (https !== undefined) env['https_proxy'] = https
  if (plain !== undefined) env['http_proxy'] = plain
  env['no_proxy'] = ['localhost', '127.0.0.1', '::1', ...except].join(',')
  if (http.ca !== undefined) {
    const file = join(home, 'authorities.pem')
    writeFileSync(file, [...usualAuthorities(), http.ca].join('\n'))
    env['GIT_SSL_CAINFO'] = file
  }
  if (password !== undefined) {
    // Only for this host.
    env['GIT_CONFIG_COUNT'] = '1'
    env['GIT_CONFIG_KEY_0'] = `http.${new URL(git).origin}/.extraHeader`
    env['GIT_CONFIG_VALUE_0'] = `Authorization: Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  }
  return env
}

import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { ConfigError, messageOf } from '../util/errors.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** The only place that reads the process's environment. */
export function environment(): Environment {
  return process.env
}

/** The user's cache folder for Caracal, following the operating system's conventions. It may not exist yet. */
export function cacheFolder(env: Environment = environment()): string {
  const home = homedir()
  if (process.platform === 'win32') return join(env['LOCALAPPDATA'] || join(home, 'AppData', 'Local'), 'caracal', 'cache')
  if (process.platform === 'darwin') return join(home, 'Library', 'Caches', 'caracal')
  return join(env['XDG_CACHE_HOME'] || join(home, '.cache'), 'caracal')
}

/** Resolves a secret reference. Throws a `ConfigError` that names the reference, never the secret. */
export function resolveSecret(
  reference: { readonly env: string } | { readonly file: string },
  env: Environment = environment(),
): string {
  if ('env' in reference) {
    const value = env[reference.env]
    if (!value) throw new ConfigError(`the environment variable ${reference.env}, which should contain a secret, is not set`)
    return value
  }
  try {
    const value = readFileSync(reference.file, 'utf8').trim()
    if (value) return value
  } catch (error) {
    throw new ConfigError(`the secret file ${reference.file} cannot be read: ${messageOf(error)}`, {}, { cause: error })
  }
  throw new ConfigError(`the secret file ${reference.file} is empty`)
}

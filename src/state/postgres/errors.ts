import { messageOf, StorageError } from '../../util/errors.ts'
import { nameOf, type PostgresPlace } from './place.ts'

/** The part of an error of the server that callers need. */
function codeOf(error: unknown): string {
  const { code } = error as { readonly code?: unknown }
  return typeof code === 'string' ? code : ''
}

/**
 * Classes of SQLSTATE that say nothing about the work itself, so that it can be repeated: connection, no resources, shutdown and
 * cancelled, system error, damage.
 */
const PASSING = /^(?:08|53|57|58|XX)/
/** A transaction on a server that only reads (after a failover), a lock that another has, a conflict with another session. */
const ALSO_PASSING = new Set(['25006', '25P03', '40001', '40P01', '55P03'])

/** What the server answered to a statement, as an error that callers act on: `StorageError` if they should wait and try again. */
export function statementError(error: unknown): unknown {
  const code = codeOf(error)
  if (!PASSING.test(code) && !ALSO_PASSING.has(code)) return error
  return new StorageError(`The state's database failed: ${messageOf(error)} (${code})`, { cause: error })
}

/** The connection has ended, or the server does not answer. Not where it is: whoever calls the API may read it. */
export function lostError(why: unknown): StorageError {
  const text = `The connection to the state's database was lost: ${messageOf(why)}. It is opened again once the server answers.`
  return new StorageError(text, { cause: why })
}

const ADVICE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Does the server run, and does it listen on that address?',
  ENOTFOUND: 'Is the name of the server in state.url right?',
  '28000': "Does the server's pg_hba.conf let this user in, from this machine and with (or without) TLS?",
  '28P01': 'Is the password right that state.password refers to?',
  '3D000': "Create it first: CREATE DATABASE name OWNER user ENCODING 'UTF8' TEMPLATE template0",
  '42501':
    'The user of state.url must own the database, or be allowed to create tables in its schema: GRANT CREATE, USAGE ON SCHEMA public TO user',
}

/** Why a session could not be opened, with what to do. */
export function openingError(error: unknown, place: PostgresPlace): StorageError {
  if (error instanceof StorageError) return error
  const code = codeOf(error)
  const said = messageOf(error).replace(/[.\s]+$/, '')
  const advice =
    ADVICE[code] ??
    (/password must be a/.test(said)
      ? 'The server asks for a password: set state.password.'
      : /does not support SSL/.test(said)
        ? 'The server offers no TLS: turn it on there; only a server on this machine is used without.'
        : code.startsWith('ERR_TLS') || /certificate|CERT/.test(`${said}${code}`)
          ? "The server's certificate must be for that name and from a known authority: see state.ca_file."
          : 'Does the server run, and may this user connect?')
  return new StorageError(`The state's database ${nameOf(place)} cannot be used: ${said}. ${advice}`, { cause: error })
}

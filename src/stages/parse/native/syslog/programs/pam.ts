import type { JsonObject } from '../../../../../model/json.ts'
import { setField, setSource } from '../fields.ts'
import { firstMatch, template } from '../template.ts'

const SESSIONS = [
  template('session opened for user {user}(uid={uid}) by {by...}', { action: 'session_opened' }),
  template('session opened for user {user...} by {by...}', { action: 'session_opened' }),
  template('session opened for user {user}', { action: 'session_opened' }),
  template('session closed for user {user...}', { action: 'session_closed' }),
  template('check pass; user unknown', { action: 'invalid_user', reason: 'invalid user' }),
  template('user {user...} ({uid}) tally {attempts}, deny {_}', { action: 'account_locked' }),
  template('Consecutive login failures for user {user...} account temporarily locked', { action: 'account_locked' }),
  template('password changed for {user...}', { action: 'password_changed' }),
  template('account {user} has expired (account expired)', { action: 'login_refused', reason: 'account expired' }),
]

const FAILURE = 'authentication failure; '
/** sshd's own count: `PAM 3 more authentication failures; …`. */
const MORE = / ?more authentication failures?; /

/**
 * Messages of PAM modules, which any program writes under its own name: `pam_unix(sshd:auth): …`, in older versions
 * `sshd(pam_unix)[812]: …` or `(pam_unix) …`. `undefined` if a message is not of PAM.
 */
export function readPam(message: string, program: string, module: string | undefined): JsonObject | undefined {
  const opening = readOpening(message, program, module)
  const text = opening?.text ?? message
  const failure = readFailure(text)
  if (failure) return { ...failure, service: opening?.service ?? program }
  const fields = opening && firstMatch(SESSIONS, text)
  if (!fields) return undefined
  const { by, ...rest } = fields
  return { ...rest, ...readBy(by), service: opening.service }
}

interface Opening {
  readonly service: string
  readonly text: string
}

function readOpening(message: string, program: string, module: string | undefined): Opening | undefined {
  if (module?.startsWith('pam_')) return { service: program, text: message }
  if (!message.startsWith('pam_') && !message.startsWith('(pam_')) return undefined
  const isOld = message.startsWith('(')
  const close = message.slice(0, 100).indexOf(isOld ? ') ' : ': ')
  if (close < 0) return undefined
  const bracket = message.slice(1, close).indexOf('(') + 1
  const named = bracket > 0 ? message.slice(bracket + 1, close).split(/[:)]/) : []
  // `pam_unix(sshd:auth)` names the service, `pam_unix(auth)` does not.
  return { service: (named.length > 2 && named[0]) || program, text: message.slice(close + 2) }
}

function readFailure(text: string): JsonObject | undefined {
  const head = text.slice(0, 60)
  const more = MORE.exec(head)
  const start = head.startsWith(FAILURE) ? FAILURE.length : more ? more.index + more[0].length : -1
  if (start < 0) return undefined
  const fields: JsonObject = { action: 'authentication_failed' }
  const count = more && /\d{1,9}$/.exec(head.slice(0, more.index))
  if (count) fields['attempts'] = Number(count[0])
  readPairs(text.slice(start), fields)
  return fields
}

/**
 * `logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.1  user=root`. Remote users choose `ruser` and `user`: the address is left
 * out where one of them may contain it.
 */
function readPairs(text: string, fields: JsonObject): void {
  setField(fields, 'uid', wordAfter(text, ' uid='))
  setField(fields, 'tty', wordAfter(text, ' tty='))
  const remote = text.indexOf(' ruser=')
  const remoteStart = remote + ' ruser='.length
  const isSafe = remote < 0 || text.startsWith(' rhost=', remoteStart)
  const first = text.indexOf(' rhost=')
  const last = text.lastIndexOf(' rhost=')
  const user = text.indexOf(' user=', Math.max(first, 0))
  const host = isSafe ? first : user < 0 ? last : first === last ? first : -1
  if (host >= 0) setSource(fields, wordAfter(text.slice(host), ' rhost='))
  const remoteUser = isSafe || host < 0 ? '' : text.slice(remoteStart, host)
  setField(fields, 'remote_user', remoteUser)
  setField(fields, 'user', user < 0 ? remoteUser : text.slice(user + ' user='.length).trim())
}

function wordAfter(text: string, key: string): string {
  const at = text.indexOf(key)
  if (at < 0) return ''
  const space = text.indexOf(' ', at + key.length)
  return text.slice(at + key.length, space < 0 ? text.length : space)
}

/** `(uid=0)`, `alice(uid=1000)`, `root(uid=0)`: who opened the session. */
function readBy(by: unknown): JsonObject {
  if (typeof by !== 'string') return {}
  const bracket = by.indexOf('(uid=')
  const name = bracket < 0 ? by : by.slice(0, bracket)
  return name === '' ? {} : { opened_by: name }
}

import type { JsonObject } from '../../../../../model/json.ts'
import { firstMatch, template } from '../template.ts'
import { endpointIn } from './endpoint.ts'
import type { Program } from './program.ts'

/** `Accepted password for alice from 192.0.2.10 port 50022 ssh2`: the first word, and what it means. */
const ATTEMPTS: Readonly<Record<string, string>> = {
  Accepted: 'login_succeeded',
  Failed: 'login_failed',
  Postponed: 'login_continued',
  Partial: 'login_continued',
}

/** Messages that end with the remote end, and name a user before it if there is something between. */
const WITH_USER: readonly (readonly [start: string, joint: string, meaning: JsonObject])[] = [
  ['Invalid user ', ' from ', { action: 'invalid_user', reason: 'invalid user' }],
  ['Illegal user ', ' from ', { action: 'invalid_user', reason: 'invalid user' }],
  ['Connection closed by ', ' ', { action: 'disconnected' }],
  ['Connection reset by ', ' ', { action: 'disconnected' }],
  ['Disconnected from ', ' ', { action: 'disconnected' }],
  ['Disconnecting ', ' ', { action: 'disconnected' }],
  ['maximum authentication attempts exceeded for ', ' from ', { action: 'too_many_attempts' }],
  ['PAM: ', ' from ', { action: 'login_failed', method: 'pam' }],
]

/** Messages that end with the remote end, after text that it chose. */
const WITHOUT_USER = [
  'Bad protocol version identification ',
  'Did not receive identification string ',
  'Magic value check failed ',
]

const NEGOTIATION = { action: 'handshake_failed' }
const BREAK_IN = { action: 'reverse_mapping_failed' }
const TEMPLATES = [
  template('Connection from {source} port {source_port} on …', { action: 'connected' }),
  template('Connection from {source} port {source_port}', { action: 'connected' }),
  template('Connection from {source}', { action: 'connected' }),
  template('Unable to negotiate with {source} port {source_port}: {reason...}', NEGOTIATION),
  template('Unable to negotiate with {source}: {reason...}', NEGOTIATION),
  template('banner exchange: Connection from {source} port {source_port}: {reason...}', NEGOTIATION),
  template('ssh_dispatch_run_fatal: Connection from {source} port {source_port}: {reason...}', NEGOTIATION),
  template('kex_exchange_identification: {reason...}', NEGOTIATION),
  template('Protocol major versions differ for {source} port {source_port}: {reason...}', NEGOTIATION),
  template('Received disconnect from {source} port {source_port}:{reason...}', { action: 'disconnected' }),
  template('Received disconnect from {source}: {reason...}', { action: 'disconnected' }),
  template('ROOT LOGIN REFUSED FROM {source} port {source_port}', { action: 'login_refused', user: 'root' }),
  template('ROOT LOGIN REFUSED FROM {source}', { action: 'login_refused', user: 'root' }),
  template('reverse mapping checking getaddrinfo for {source_host} [{source}] failed…', BREAK_IN),
  template('reverse mapping checking getaddrinfo for {source_host} failed…', BREAK_IN),
  template('Address {source} maps to {source_host}, but this does not map back to the address…', BREAK_IN),
  template('User {user...} from {source} not allowed because {reason...}', { action: 'login_refused' }),
  template('User {user...} not allowed because {reason...}', { action: 'login_refused' }),
  template('refused connect from {_...} ({source})', { action: 'connection_refused' }),
  template('refused connect from {source}', { action: 'connection_refused' }),
  template('Timeout before authentication for connection from {source} to {_...}', { action: 'login_timeout' }),
  template('Timeout before authentication for {source} port {source_port}', { action: 'login_timeout' }),
  template('Timeout before authentication for {source}', { action: 'login_timeout' }),
  template('input_userauth_request: invalid user {user...}', { action: 'invalid_user', reason: 'invalid user' }),
  template('Disconnecting: Too many authentication failures for {user...}', { action: 'too_many_attempts' }),
  template('Starting session: {_...} for {user...} from {source} port {source_port} id …', { action: 'session_opened' }),
  template('Close session: user {user...} from {source} port {source_port} id …', { action: 'session_closed' }),
  template('Read error from remote host {source}: {reason...}', { action: 'disconnected' }),
  template('Read from remote host {source}: {reason...}', { action: 'disconnected' }),
]

/** OpenSSH's server; messages of versions 3 to 10 (auth.c, auth2.c, packet.c, sshd.c, sshd-session.c of openssh-portable). */
export const sshd: Program = {
  names: ['sshd', 'sshd-session', 'sshd-auth'],
  read(message) {
    const text = withoutMarks(message)
    const attempt = readAttempt(text)
    if (attempt) return attempt
    for (const [start, joint, meaning] of WITH_USER) {
      if (text.startsWith(start)) return readEnding(text, start, joint, meaning)
    }
    if (WITHOUT_USER.some((start) => text.startsWith(start)))
      return { action: 'handshake_failed', ...endpointIn(text, ' from ', [])?.fields }
    return firstMatch(TEMPLATES, text)
  },
}

/** Without the level before a message and the phase after it. */
function withoutMarks(message: string): string {
  const text = message.trim()
  const start = ['error: ', 'fatal: '].find((level) => text.startsWith(level))?.length ?? 0
  const phase = [' [preauth]', ' [postauth]'].find((mark) => text.endsWith(mark))?.length ?? 0
  return text.slice(start, text.length - phase)
}

function readAttempt(text: string): JsonObject | undefined {
  const [first = ''] = text.slice(0, 12).split(' ', 1)
  const action = Object.hasOwn(ATTEMPTS, first) ? ATTEMPTS[first] : undefined
  const methodEnd = text.indexOf(' for ')
  if (action === undefined || methodEnd < 0) return undefined
  const method = text.slice(first.length + 1, methodEnd)
  if (method === '' || method.includes(' ')) return undefined
  const end = endpointIn(text, ' from ', [' ssh2: ', ' ssh1: '])
  if (!end || end.before.length < methodEnd) return { action, method }
  const user = end.before.slice(methodEnd + ' for '.length)
  return { action, method, ...readUser(user), ...end.fields, ...readKey(text) }
}

function readEnding(text: string, start: string, joint: string, meaning: JsonObject): JsonObject {
  const end = endpointIn(text, joint, start === 'Disconnecting ' ? [': '] : [])
  if (!end) return meaning
  const before = end.before.slice(start.length)
  // `PAM: Authentication failure for alice from …`.
  const user = start === 'PAM: ' ? before.slice(before.indexOf(' for ') + ' for '.length) : before
  return { ...meaning, ...readUser(user), ...end.fields }
}

const BEFORE_USER = ['authenticating user ', 'invalid user ', 'illegal user ', 'user ']

function readUser(text: string): JsonObject {
  const mark = BEFORE_USER.find((one) => text.startsWith(one))
  const user = mark === undefined ? text : text.slice(mark.length)
  return {
    ...(user !== '' && { user }),
    ...((mark === 'invalid user ' || mark === 'illegal user ') && { reason: 'invalid user' }),
  }
}

/** `… ssh2: RSA SHA256:…`, by a key. */
function readKey(text: string): JsonObject {
  const at = text.lastIndexOf(' ssh2: ')
  if (at < 0) return {}
  const [, fingerprint = ''] = text.slice(at + ' ssh2: '.length, at + 300).split(/[ ,]/, 2)
  return fingerprint.includes(':') ? { key_fingerprint: fingerprint } : {}
}

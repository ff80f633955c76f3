import { firstMatch, template } from '../template.ts'
import type { Program } from './program.ts'

const SWITCHED = { action: 'user_switched' }
const FAILED = { action: 'user_switch_failed' }

const TEMPLATES = [
  template('(to {target_user}) {user} on {tty}', SWITCHED),
  template('FAILED SU (to {target_user}) {user} on {tty}', FAILED),
  template('FAILED su for {target_user} by {user}', FAILED),
  template('Successful su for {target_user} by {user}', SWITCHED),
  template('BAD SU {user} to {target_user} on {tty}', FAILED),
  template('failed: {tty} changing from {user} to {target_user}', FAILED),
  template('+ {tty} {user}:{target_user}', SWITCHED),
  template('- {tty} {user}:{target_user}', FAILED),
]

/** BSD's su starts with the user's name, so it comes last. */
const BSD = template('{user} to {target_user} on {tty}', SWITCHED)

/** su of util-linux, shadow and the BSDs. */
export const su: Program = {
  names: ['su', 'su-l', 'runuser'],
  read: (message) => firstMatch(TEMPLATES, message) ?? BSD.match(message),
}

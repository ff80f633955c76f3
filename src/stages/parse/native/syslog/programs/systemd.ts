import { firstMatch, template } from '../template.ts'
import type { Program } from './program.ts'

const TEMPLATES = [
  template('Started Session {session_id} of user {user}.', { action: 'session_opened' }),
  template('Started {unit...}.', { action: 'unit_started' }),
  template('Starting {unit...}...', { action: 'unit_starting' }),
  template('Stopped {unit...}.', { action: 'unit_stopped' }),
  template('Stopping {unit...}...', { action: 'unit_stopping' }),
  template('Reloaded {unit...}.', { action: 'unit_reloaded' }),
  template('Finished {unit...}.', { action: 'unit_finished' }),
  template('Failed to start {unit...}.', { action: 'unit_failed' }),
  // systemd-logind
  template('New session {session_id} of user {user}.', { action: 'session_opened' }),
  template("New session '{session_id}' of user '{user}'…", { action: 'session_opened' }),
  template('Session {session_id} logged out. Waiting for processes to exit.', { action: 'session_closed' }),
  template('Removed session {session_id}.', { action: 'session_removed' }),
]

/** Messages that start with the unit. */
const OF_UNIT = [
  template('{unit}: Main process exited, code={_}, status={status...}', { action: 'unit_exited' }),
  template("{unit}: Failed with result '{reason}'.", { action: 'unit_failed' }),
  template('{unit}: Deactivated successfully.', { action: 'unit_stopped' }),
  template('{unit}: Succeeded.', { action: 'unit_stopped' }),
]

/** The service manager, of the system and of users, and logind. */
export const systemd: Program = {
  names: ['systemd', 'systemd-logind'],
  read: (message) => firstMatch(TEMPLATES, message) ?? firstMatch(OF_UNIT, message),
}

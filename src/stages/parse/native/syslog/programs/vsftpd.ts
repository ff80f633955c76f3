import { readVsftpd } from '../../vsftpd.ts'
import type { Program } from './program.ts'

/** What a login is called in the messages of other programs. */
const ACTIONS: Readonly<Record<string, string>> = {
  'ok login': 'login_succeeded',
  'fail login': 'login_failed',
  connect: 'connected',
}

/** vsftpd with `syslog_enable`. */
export const vsftpd: Program = {
  names: ['vsftpd'],
  read(message) {
    const fields = readVsftpd(message)
    if (!fields) return undefined
    const { action, result, path: _path, bytes: _bytes, ...rest } = fields
    const known = ACTIONS[typeof result === 'string' ? `${result} ${String(action)}` : String(action)]
    return known === undefined ? undefined : { ...rest, action: known }
  },
}

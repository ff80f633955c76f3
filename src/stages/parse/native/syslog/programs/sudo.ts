import type { JsonObject } from '../../../../../model/json.ts'
import { setField } from '../fields.ts'
import type { Program } from './program.ts'

/** Keys of sudo's log line, and our fields. */
const KEYS: Readonly<Record<string, string>> = {
  HOST: 'sudo_host',
  TTY: 'tty',
  CHROOT: 'chroot',
  PWD: 'working_directory',
  USER: 'target_user',
  GROUP: 'target_group',
  TSID: 'session_id',
  ENV: 'environment',
}

const SEPARATOR = ' ; '

/** `alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/bin/ls`, with a reason after the name if sudo refused it. */
export const sudo: Program = {
  names: ['sudo', 'sudo-rs'],
  read(message) {
    const colon = message.indexOf(' : ')
    const user = message.slice(0, Math.max(colon, 0)).trim()
    if (colon < 0 || user === '' || user.includes(' ')) return undefined
    const fields: JsonObject = { action: 'command_run', user }
    let at = colon + ' : '.length
    while (at < message.length) {
      // A command may contain anything, and is the last.
      if (message.startsWith('COMMAND=', at)) {
        setField(fields, 'command', message.slice(at + 'COMMAND='.length))
        return fields
      }
      const next = message.indexOf(SEPARATOR, at)
      const end = next < 0 ? message.length : next
      readPart(message.slice(at, end), fields)
      at = end + SEPARATOR.length
    }
    return fields['action'] === 'command_run' ? undefined : fields
  },
}

function readPart(part: string, fields: JsonObject): void {
  const equals = part.indexOf('=')
  const name = equals < 0 ? undefined : part.slice(0, equals)
  if (name !== undefined && Object.hasOwn(KEYS, name)) {
    setField(fields, KEYS[name]!, part.slice(equals + 1))
    return
  }
  if (fields['reason'] !== undefined) return
  fields['action'] = 'command_refused'
  fields['reason'] = part.trim()
  const attempts = /^(\d{1,6}) incorrect password attempts?$/.exec(part.slice(0, 60).trim())
  if (attempts) fields['attempts'] = Number(attempts[1])
}

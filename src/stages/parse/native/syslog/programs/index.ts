import type { JsonObject } from '../../../../../model/json.ts'
import { accounts } from './accounts.ts'
import { cron } from './cron.ts'
import { readPam } from './pam.ts'
import type { Program } from './program.ts'
import { sshd } from './sshd.ts'
import { su } from './su.ts'
import { sudo } from './sudo.ts'
import { systemd } from './systemd.ts'
import { vsftpd } from './vsftpd.ts'

/** Programs whose messages are understood. A new one is one file in this folder and one name here. */
export const programs: readonly Program[] = [sshd, sudo, su, cron, systemd, accounts, vsftpd]

const byName = new Map(programs.flatMap((program) => program.names.map((name) => [name, program] as const)))

const REPEATED = 'message repeated '

/** Adds to a syslog record what its message says, if a known program wrote it. */
export function understand(record: JsonObject): void {
  const { appname, message } = record
  if (typeof message !== 'string') return
  const text = withoutId(record, withoutRepeat(record, message)).trim()
  const name = typeof appname === 'string' ? appname : ''
  const { program, module } = programOf(name)
  const fields = readPam(text, program, module) ?? byName.get(program)?.read(text)
  // `Object.assign` is several times slower here. The names are ours, not the message's.
  for (const name in fields) record[name] = fields[name]
}

/** `/usr/sbin/sshd(pam_unix)` → `sshd` and `pam_unix`. */
function programOf(name: string): { readonly program: string; readonly module: string | undefined } {
  const base = name.slice(name.lastIndexOf('/') + 1).toLowerCase()
  const bracket = base.indexOf('(')
  if (bracket < 0) return { program: base, module: undefined }
  return { program: base.slice(0, bracket), module: base.slice(bracket + 1).replace(')', '') }
}

/** `message repeated 2 times: [ … ]`, by rsyslog: the number of messages that the line stands for, and the message. */
function withoutRepeat(record: JsonObject, message: string): string {
  if (!message.startsWith(REPEATED)) return message
  const [count = ''] = message.slice(REPEATED.length, REPEATED.length + 10).split(' ', 1)
  const opening = `${REPEATED}${count} times: [`
  if (!/^\d{1,9}$/.test(count) || !message.startsWith(opening)) return message
  record['repeated'] = Number(count)
  return (message.endsWith(']') ? message.slice(opening.length, -1) : message.slice(opening.length)).trim()
}

/** Solaris: `[ID 702911 auth.info] …`. */
function withoutId(record: JsonObject, message: string): string {
  if (!message.startsWith('[ID ')) return message
  const end = message.slice(0, 60).indexOf('] ')
  if (end < 0) return message
  const [id = ''] = message.slice(4, end).split(' ', 1)
  record['msgid'] ??= id
  return message.slice(end + 2)
}

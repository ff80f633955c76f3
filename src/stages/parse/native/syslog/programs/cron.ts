import type { Program } from './program.ts'

const ACTIONS: Readonly<Record<string, string>> = {
  CMD: 'job_started',
  CMDEND: 'job_ended',
  RELOAD: 'crontab_reloaded',
  REPLACE: 'crontab_changed',
  'BEGIN EDIT': 'crontab_edit_started',
  'END EDIT': 'crontab_edit_ended',
  LIST: 'crontab_listed',
  DELETE: 'crontab_deleted',
}

/** Actions whose argument is the user whose crontab it is. */
const OF_USERS = ['REPLACE', 'BEGIN EDIT', 'END EDIT', 'LIST', 'DELETE']

/** `(alice) CMD (/usr/bin/backup)`, by cron, cronie and crontab. */
export const cron: Program = {
  names: ['cron', 'crond', 'crontab', 'anacron'],
  read(message) {
    const userEnd = message.indexOf(') ')
    const open = message.indexOf(' (', userEnd)
    if (!message.startsWith('(') || userEnd < 0 || open < 0 || !message.endsWith(')')) return undefined
    const what = message.slice(userEnd + 2, open)
    const action = Object.hasOwn(ACTIONS, what) ? ACTIONS[what]! : undefined
    if (action === undefined) return undefined
    const isCommand = what === 'CMD' || what === 'CMDEND'
    const argument = message.slice(open + 2, -1).trim()
    return {
      action,
      user: message.slice(1, userEnd),
      ...(isCommand && argument !== '' && { command: argument }),
      ...(OF_USERS.includes(what) && { target_user: argument }),
    }
  },
}

import { MAX_PASSWORD, MIN_PASSWORD } from '../../model/account.ts'

/** What people choose if they have to choose twelve characters, without what is at the end of it. */
const COMMON = [
  'password',
  'passwort',
  'motdepasse',
  'contrasena',
  'letmein',
  'welcome',
  'changeme',
  'iloveyou',
  'qwerty',
  'qwertyuiop',
  'qwertz',
  'azerty',
  'asdfghjkl',
  'asdfgh',
  'zxcvbnm',
  '1q2w3e4r5t6y',
  '1qaz2wsx3edc',
  'abcdefghijklmnopqrstuvwxyz',
  'administrator',
  'admin',
  'caracal',
  'secret',
  'default',
  'correcthorsebatterystaple',
  'trustno1',
  'superman',
  'football',
  'princess',
  'sunshine',
  'master',
  'monkey',
  'dragon',
  'shadow',
]
const DIGITS = '01234567890123456789'

/** Why a password is not accepted; `undefined` if it is. `email`: whose it is to be. */
export function passwordProblem(password: string, email: string): string | undefined {
  const length = [...password].length
  if (length < MIN_PASSWORD)
    return `the password has ${length} characters, and needs at least ${MIN_PASSWORD}: a few words are best`
  if (length > MAX_PASSWORD) return `the password has ${length} characters; the limit is ${MAX_PASSWORD}`
  if (!password.isWellFormed() || password.includes('\0')) return 'the password has characters that cannot be typed'
  if (new Set(password).size < 5) return 'the password repeats the same few characters: use a few words instead'
  const core = coreOf(password)
  if (isCommon(core)) return 'the password is among those that are tried first: use a few words that do not belong together'
  const own = email.toLowerCase()
  const isOwn = [own, own.split('@')[0]!].some((part) => part.length >= 4 && core === coreOf(part))
  return isOwn ? 'the password is the email address with little added: use a few words instead' : undefined
}

function isCommon(core: string): boolean {
  if (core === '' || DIGITS.includes(core) || [...DIGITS].reverse().join('').includes(core)) return true
  return COMMON.some(
    (word) => core === word || (core.length % word.length === 0 && core === word.repeat(core.length / word.length)),
  )
}

const LOOKALIKES: Readonly<Record<string, string>> = { '@': 'a', '0': 'o', '1': 'i', '3': 'e', '5': 's', $: 's', '!': 'i' }

/** The letters of a password, lower case, without digits and signs around them and with letters for what looks like them. */
function coreOf(password: string): string {
  const lower = password.toLowerCase()
  if (/^\d+$/.test(lower)) return lower
  if (COMMON.includes(lower)) return lower
  const inner = lower.replace(/^[^a-z]+/, '').replace(/[^a-z]+$/, '')
  return [...inner]
    .map((sign) => LOOKALIKES[sign] ?? sign)
    .join('')
    .replace(/[^a-z]/g, '')
}

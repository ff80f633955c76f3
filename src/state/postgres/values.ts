import { bindable } from '../sqlite.ts'

/** Type numbers of PostgreSQL whose text the state reads as something else than text. */
const TYPE = { bool: 16, bytea: 17, int8: 20, int2: 21, int4: 23, float4: 700, float8: 701, numeric: 1700 } as const

/** Values as SQLite gives them: every number as a number, truth as 0 or 1. Throws instead of losing digits. */
export function parserOf(type: number): (text: string) => unknown {
  switch (type) {
    case TYPE.bool:
      return (text) => (text === 't' ? 1 : 0)
    case TYPE.bytea:
      return bytes
    case TYPE.int2:
    case TYPE.int4:
    case TYPE.int8:
    case TYPE.numeric:
      return safeNumber
    case TYPE.float4:
    case TYPE.float8:
      return Number
    default:
      return (text) => text
  }
}

function safeNumber(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && !Number.isSafeInteger(value))
    throw new TypeError(`cannot read ${text}: outside the safe integers`)
  return value
}

/** Always sent as \x and digits: a session asks for that. */
function bytes(text: string): Buffer {
  if (!text.startsWith('\\x')) throw new TypeError('cannot read bytes that PostgreSQL did not send in hexadecimal')
  return Buffer.from(text.slice(2), 'hex')
}

/** A value as the client takes it: the same as for SQLite, so that one state does not accept what another refuses. */
export function bound(value: unknown): string | number | null | Uint8Array {
  return bindable(value)
}

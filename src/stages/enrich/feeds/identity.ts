import { z } from 'zod'
import { isObject, type JsonObject, type JsonValue } from '../../../model/json.ts'

export const KINDS = ['users', 'groups', 'devices'] as const

export type IdentityKind = (typeof KINDS)[number]

export const kindSchema = z.enum(KINDS).default('users').describe('What the table has a row for.')

/**
 * A row of an identity table: its keys, by which it is found (id, login, e-mail addresses, without duplicates), and what is known of it.
 * Unknown values are left out.
 */
export function identityRow(
  keys: readonly (JsonValue | undefined)[],
  row: Readonly<Record<string, JsonValue | undefined>>,
): JsonObject {
  const texts = keys.flatMap((key) => (Array.isArray(key) ? (key as JsonValue[]) : [key])).filter(isText)
  const known = Object.entries(row).filter(([, value]) => isKnown(value))
  return { keys: [...new Set(texts)], ...(Object.fromEntries(known) as JsonObject) }
}

function isText(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && value !== ''
}

function isKnown(value: JsonValue | undefined): boolean {
  return value !== undefined && value !== null && value !== '' && !(Array.isArray(value) && value.length === 0)
}

/** A member that is an object; an empty one if it is missing. */
export function objectAt(json: JsonObject, name: string): JsonObject {
  const value = json[name]
  return isObject(value) ? value : {}
}

/** A member that is a list; an empty one if it is missing. */
export function arrayAt(json: JsonObject, name: string): JsonValue[] {
  const value = json[name]
  return Array.isArray(value) ? (value as JsonValue[]) : []
}

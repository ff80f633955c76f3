import { splitJsonArray } from '../../util/json-spans.ts'

/** Fields that say in words what happened, as logs of many kinds name them. */
const MESSAGES = ['message', 'MESSAGE', 'msg', 'log', 'event_message', 'full_log']
const MAX_CHARS = 240
const MAX_VALUE_CHARS = 80
const MAX_PAIRS = 10

interface Column {
  readonly name: string
  readonly type: string
}

/** A row of the lake by the names of its columns: the exact JSON text of its values that are not null. */
export function membersOf(columns: readonly Column[], row: string): [column: Column, text: string][] {
  return splitJsonArray(row).elements.flatMap(({ start, end }, i): [Column, string][] => {
    const text = row.slice(start, end)
    return text === 'null' ? [] : [[columns[i]!, text]]
  })
}

/**
 * One line about an event that a person can read: its message, if it has one, then its own fields as `name=value` in the order of its
 * schema, without times and empty values.
 */
export function summaryOf(members: readonly (readonly [column: Column, text: string])[]): string {
  const own = members.filter(([{ name, type }]) => !name.startsWith('p_') && name !== 'extra' && !type.includes('DateTime'))
  const texts = own.flatMap(([{ name }, json]): [string, string][] => {
    const text = textOf(json)
    return text === '' || text === '-' || text === '[]' || text === '{}' ? [] : [[name, text]]
  })
  const message = MESSAGES.flatMap((name) => texts.filter(([own]) => own === name))[0]
  const pairs = texts.filter((one) => one !== message).slice(0, MAX_PAIRS)
  const parts = [
    ...(message ? [message[1]] : []),
    ...pairs.map(([name, text]) => `${name}=${quoted(cut(text, MAX_VALUE_CHARS))}`),
  ]
  return cut(parts.join(' '), MAX_CHARS)
}

/** A JSON text as its value for people. A column of JSON contains a text of JSON. */
function textOf(json: string): string {
  return json.startsWith('"') ? (JSON.parse(json) as string).trim() : json
}

function quoted(text: string): string {
  return /\s/.test(text) ? JSON.stringify(text) : text
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1).toWellFormed()}…`
}

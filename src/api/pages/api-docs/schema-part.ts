import { html } from 'hono/html'
import type { Part } from '../layout.ts'
import type { Schema } from './description.ts'
import { prose } from './prose.ts'

/** Deeper levels are left out. */
const MAX_DEPTH = 8

/** The members of a schema as a nested list; a sentence on what it is if it has none. */
export function schemaPart(schema: Schema | undefined, depth = 0): Part {
  if (!schema || depth > MAX_DEPTH) return ''
  const choices = (schema.anyOf ?? schema.oneOf ?? []).filter((one) => one.type !== 'null')
  if (choices.length === 1) return schemaPart(choices[0], depth)
  if (choices.some(({ properties }) => properties))
    return html`<ul class="members">${choices.map((one) => html`<li><span class="dim">either</span>${schemaPart(one, depth + 1)}</li>`)}</ul>`
  if (schema.items) return schemaPart(schema.items, depth)
  if (schema.properties)
    return html`<ul class="members">${Object.entries(schema.properties).map(
      ([name, member]) => html`<li><code>${name}</code> ${typePart(member, schema.required?.includes(name) ?? false)}
${prose(member.description)}${schemaPart(member, depth + 1)}</li>`,
    )}</ul>`
  const { additionalProperties: values } = schema
  return typeof values === 'object' ? schemaPart(values, depth) : ''
}

/** Type and limits in a few words. */
export function typePart(schema: Schema | undefined, isRequired: boolean): Part {
  const limits = schema ? limitsOf(schema) : ''
  return html`<span class="type">${typeOf(schema)}${limits && `, ${limits}`}</span>${isRequired ? html` <span class="needed">required</span>` : ''}`
}

/** `string`, `list of string`, `"a" | "b"`. */
export function typeOf(schema: Schema | undefined): string {
  if (!schema) return 'anything'
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ')
  const choices = schema.anyOf ?? schema.oneOf
  if (choices) return [...new Set(choices.map(typeOf))].join(' | ')
  if (Array.isArray(schema.type)) return schema.type.join(' | ')
  if (schema.type === 'array') return `list of ${typeOf(schema.items)}`
  if (schema.type === 'object' && !schema.properties && typeof schema.additionalProperties === 'object')
    return `object of ${typeOf(schema.additionalProperties)}`
  return String(schema.format ?? schema.type ?? 'anything')
}

function limitsOf(schema: Schema): string {
  const { minimum, maximum, minLength, maxLength, minItems, maxItems, pattern, default: usual } = schema
  const isBounded = (n: number | undefined) => n !== undefined && Math.abs(n) < Number.MAX_SAFE_INTEGER
  const span = (from: number | undefined, to: number | undefined, of: string) => {
    if (isBounded(from) && isBounded(to)) return `${from} to ${to}${of}`
    if (isBounded(to)) return `at most ${to}${of}`
    return isBounded(from) ? `at least ${from}${of}` : ''
  }
  return [
    span(minimum, maximum, ''),
    span(minLength, maxLength, ' characters'),
    span(minItems, maxItems, ' entries'),
    pattern === undefined ? '' : `like ${pattern}`,
    usual === undefined || usual === '' ? '' : `default ${JSON.stringify(usual)}`,
  ]
    .filter((text) => text !== '')
    .join(', ')
}

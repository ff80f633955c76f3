import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse as parseYaml } from 'yaml'
import { z } from 'zod'
import { readSchemaFile } from '../src/packs/schema-file.ts'
import { compileSchema } from '../src/stages/normalise/compile.ts'
import { schemaDocument, VALUE_TYPES } from '../src/stages/normalise/document.ts'
import { indicatorNames } from '../src/stages/normalise/indicators.ts'
import { parse } from '../src/stages/parse/step.fixture.ts'
import { grokPatterns } from '../src/stages/parse/text/grok-patterns.ts'
import { textParsers } from '../src/stages/parse/text/index.ts'

const page = readFileSync(join(import.meta.dirname, '../docs/schemas.md'), 'utf8')

/** Schema, input and expected events of each example, in order. */
const examples = [
  ...page.matchAll(/```yaml\n(schema: (\S+)[\s\S]*?)```\n\n```text\n([\s\S]*?)```\n\n```json\n([\s\S]*?)```/g),
].map(([, yaml, name, text, json]) => ({ name, document: parseYaml(yaml!) as object, text: text!, json: json! }))

test('every example has its input and its events', () => {
  expect(examples.length).toBe([...page.matchAll(/```yaml/g)].length)
  expect(examples.length).toBeGreaterThan(6)
})

describe('the examples of docs/schemas.md', () => {
  test.each(examples)('$name', ({ name, document, text, json }) => {
    readSchemaFile(document, { file: 'example.yml' })
    const schema = compileSchema(document, { file: 'example.yml' })
    const { groups, deadLetters } = parse(text, {}, name, [schema])
    const own = groups
      .flatMap(({ events }) => events)
      .map((event) =>
        Object.fromEntries(Object.entries(event).filter(([key, value]) => value !== undefined && !/^p_(?!any)/.test(key))),
      )
    const expected = json
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object)
    expect(deadLetters).toEqual([])
    expect(own).toEqual(expected)
  })
})

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly [key: string]: unknown
}

/** Every key that a document can have, at any depth. */
function keysOf(schema: JsonSchema): string[] {
  return Object.entries(schema).flatMap(([key, value]) => {
    if (typeof value !== 'object' || value === null) return []
    return [...(key === 'properties' ? Object.keys(value) : []), ...keysOf(value as JsonSchema)]
  })
}

describe('docs/schemas.md names', () => {
  const language = keysOf(z.toJSONSchema(schemaDocument, { io: 'input' }) as JsonSchema)
  const parsers = textParsers.flatMap(({ settings }) => keysOf(z.toJSONSchema(settings, { io: 'input' }) as JsonSchema))

  test.each([...new Set([...language, ...parsers])])('the key %s', (key) => {
    expect(page).toMatch(new RegExp(`\\b${key}\\b`))
  })

  test.each([...VALUE_TYPES, ...indicatorNames, ...Object.keys(grokPatterns)])('%s', (name) => {
    expect(page).toContain(`\`${name}\``)
  })

  test.each(textParsers.map(({ type }) => type))('the parser %s, in a section', (type) => {
    expect(page).toContain(`\n### ${type}\n`)
  })
})

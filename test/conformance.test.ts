import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { destinations } from '../src/stages/deliver/index.ts'
import { languages } from '../src/stages/detect/index.ts'
import { formats as tableFormats } from '../src/stages/enrich/formats/index.ts'
import { providers } from '../src/stages/enrich/index.ts'
import { services } from '../src/stages/enrich/live/services/index.ts'
import { keyKinds } from '../src/stages/enrich/tables/index.ts'
import { formats as logFormats } from '../src/stages/parse/index.ts'
import { nativeParsers } from '../src/stages/parse/native/index.ts'
import { textParsers } from '../src/stages/parse/text/index.ts'
import { decoders } from '../src/stages/source/decoders/index.ts'
import { sources } from '../src/stages/source/index.ts'
import { lakes } from '../src/stages/store/index.ts'
import { states } from '../src/state/index.ts'
import { type AnyDefinition, find, oneOf } from '../src/util/define.ts'

/** Every registry whose members have a config block. A new member is tested here before its author writes a test. */
const CONFIGURED: Readonly<Record<string, readonly AnyDefinition[]>> = {
  source: sources,
  provider: providers,
  destination: destinations,
  lake: lakes,
}

/** Registries whose members only have a name. */
const NAMED: Readonly<Record<string, readonly { readonly type: string; readonly summary?: string }[]>> = {
  ...CONFIGURED,
  language: languages,
  decoder: decoders,
  'log format': logFormats,
  'text parser': textParsers,
  'native parser': nativeParsers,
  'table format': tableFormats,
  'key kind': keyKinds,
  service: services,
  state: states,
}

const catalogue = readFileSync(join(import.meta.dirname, '../docs/components.md'), 'utf8')

const configured = Object.entries(CONFIGURED).flatMap(([kind, list]) =>
  list.map((definition) => ({ kind, type: definition.type, definition })),
)
const named = Object.entries(NAMED).flatMap(([kind, list]) =>
  list.map((definition) => ({ kind, type: definition.type, definition })),
)

describe('every registered component', () => {
  test.each(named)('$kind $type has a lower-case name', ({ type }) => expect(type).toMatch(/^[a-z0-9]+(?:[-_][a-z0-9]+)*$/))

  test.each(named.filter(({ definition }) => definition.summary !== undefined))(
    '$kind $type says in one sentence what it does',
    ({ definition }) => {
      expect(definition.summary).toMatch(/^[A-Z][^\n]{10,150}[^.]\.$/)
      expect(definition.summary?.match(/\.(?=\s|$)/g)).toHaveLength(1)
    },
  )

  test.each(named)('$kind $type has its line in docs/components.md', ({ kind, type, definition }) => {
    const section = catalogue.split(/^## /m).find((text) => text.toLowerCase().startsWith(kind)) ?? ''
    expect(section).toContain(definition.summary === undefined ? `| \`${type}\` |` : `| \`${type}\` | ${definition.summary} |`)
  })

  test('docs/components.md lists all kinds with the number of their components and the suite that checks them', () => {
    const table = catalogue.split(/^## /m).find((text) => text.startsWith('Kinds')) ?? ''
    const rows = [...table.matchAll(/^\| ([a-z ]+) \| (\d+) \| `([^`]+)` \|$/gm)]
    expect(rows.map(([, kind, count]) => `${kind} ${count}`).sort()).toEqual(
      Object.entries(NAMED)
        .map(([kind, list]) => `${kind} ${list.length}`)
        .sort(),
    )
    const suites = rows.flatMap(([, , , suite]) => suite ?? [])
    const written = readdirSync(join(import.meta.dirname, 'suites')).filter((file) => file.endsWith('.test.ts'))
    expect(suites.sort()).toEqual(written.map((file) => `test/suites/${file}`).sort())
  })

  test.each(Object.entries(NAMED))('%s names are unique, and the error for an unknown one lists the known ones', (kind, list) => {
    expect(new Set(list.map(({ type }) => type)).size).toBe(list.length)
    expect(() => find(kind, list, 'nonesuch')).toThrow(
      `Unknown ${kind} 'nonesuch'. Known: ${list.map(({ type }) => type).join(', ')}`,
    )
  })
})

describe('every component with a config block', () => {
  test.each(configured)('$kind $type: its example passes its own schema', ({ kind, definition }) => {
    const schema = oneOf(kind, [definition])
    expect(schema.safeParse({ type: definition.type, ...definition.example }).error?.issues).toBeUndefined()
  })

  test.each(configured)('$kind $type: an unknown key is refused, with its name', ({ kind, definition }) => {
    const schema = oneOf(kind, [definition])
    const parsed = schema.safeParse({ type: definition.type, ...definition.example, no_such_key: 1 })
    expect(parsed.error?.issues[0]).toMatchObject({ code: 'unrecognized_keys', keys: ['no_such_key'] })
  })

  test.each(configured)('$kind $type: keys are snake_case and described', ({ definition }) => {
    for (const [key, schema] of Object.entries(definition.config.shape as Record<string, z.ZodType>)) {
      expect(key).toMatch(/^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/)
      expect(schema.description, `${key} has no description`).toBeTruthy()
    }
  })

  test.each(configured)('$kind $type: its schema can be shown to editors and forms', ({ definition }) => {
    expect(z.toJSONSchema(definition.config, { io: 'input' })).toMatchObject({ type: 'object' })
  })
})

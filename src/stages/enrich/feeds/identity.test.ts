import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import type { Event } from '../../../model/event.ts'
import { packageRoot } from '../../../util/entry.ts'
import { compileSchema } from '../../normalise/compile.ts'
import { buildTable } from '../build.ts'
import { defineTable } from '../definition.ts'
import { createEnricher } from '../enricher.ts'
import { identityRow } from './identity.ts'

const file = '/content/x.yml'
/** The definition that docs/tables-reference.md shows. */
const page = readFileSync(join(packageRoot(), 'docs/tables-reference.md'), 'utf8')
const shown = /`content\/identity_users\.yml`:\n\n```yaml\n([\s\S]*?)```/.exec(page)![1]!

test('keys are texts, each once; what is unknown is left out', () => {
  const row = identityRow(['1', undefined, null, '', 'ada', ['ada', 7, 'al@example.com']], {
    id: '1',
    name: '',
    tags: [],
    admin: false,
  })
  expect(row).toEqual({ keys: ['1', 'ada', 'al@example.com'], id: '1', admin: false })
})

test('the table of the documentation finds a user by e-mail address, login and id, in any case, in any log', async () => {
  const rows = [
    identityRow(['00u1', 'ada', 'Ada@example.com', 'al@example.com'], { id: '00u1', login: 'ada', email: 'Ada@example.com' }),
    identityRow(['00u2', 'grace'], { id: '00u2', login: 'grace' }),
  ]
  const bytes = Buffer.from(rows.map((row) => JSON.stringify(row)).join('\n'))
  const table = await buildTable(defineTable(parse(shown), { file }), undefined, { bytes, fileName: 'rows.jsonl' })
  expect(['00U1', 'ADA', 'ada@EXAMPLE.com', 'al@example.com', '00u2', 'x'].map((key) => table.get(key)?.['login'])).toEqual([
    'ada',
    'ada',
    'ada',
    'ada',
    'grace',
    undefined,
  ])
  const schema = compileSchema(
    { schema: 'Acme.Log', fields: [{ name: 'who', type: 'string', indicators: ['username'] }] },
    { file },
  )
  const event = {
    p_log_type: 'Acme.Log',
    who: 'grace',
    p_any_usernames: ['grace'],
    p_any_emails: ['AL@example.com'],
  } as unknown as Event
  createEnricher([table]).enrich(schema, [event])
  expect(event['p_enrichment']).toMatchObject({
    identity_users: { p_any_usernames: [{ id: '00u2' }], p_any_emails: [{ id: '00u1' }] },
    p_any_usernames: ['ada', 'grace'],
    p_any_emails: ['Ada@example.com'],
  })
})

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { sources } from '../stages/source/index.ts'
import { packageRoot } from '../util/entry.ts'
import { SHIPPERS } from './shipper-lines.ts'

const docs = ['shippers', 'sources'].map((name) => readFileSync(join(packageRoot(), `docs/${name}.md`), 'utf8')).join('\n')
const IN_DOCS = { url: 'http://127.0.0.1:4848', token: 'TOKEN' }
const ELSEWHERE = { url: 'https://siem.example.com/caracal', path: '/ingest/app', port: 6514, token: 'caracal_abc' }

/** The paths of the examples in the documents. */
function pathOf(to: string): string {
  return { http: '/ingest/default', journal_upload: '/ingest/journals' }[to] ?? ''
}

test.each(SHIPPERS.map((lines) => [`${lines.title} to ${lines.to}`, lines] as const))(
  '%s is set up as the documents say',
  (_name, lines) => {
    expect(docs).toContain(lines.text({ ...IN_DOCS, path: pathOf(lines.to), port: 5514 }))
  },
)

test('every line is for a type of source that exists, and its names differ', () => {
  const types = sources.map(({ type }) => type as string)
  expect(SHIPPERS.filter(({ to }) => !types.includes(to))).toEqual([])
  expect(new Set(SHIPPERS.map(({ name }) => name)).size).toBe(SHIPPERS.length)
})

test.each(SHIPPERS.filter(({ to }) => to !== 's3').map((lines) => [lines.name, lines] as const))(
  '%s uses the address, the path, the port and the token of the place',
  (_name, { to, text }) => {
    const made = text(ELSEWHERE)
    expect(made).toContain('siem.example.com')
    expect(made).not.toContain('127.0.0.1')
    if (to === 'syslog') expect(made).toContain('6514')
    else expect(made).toMatch(/caracal_abc[\s\S]*\/caracal\/ingest\/app|\/caracal\/ingest\/app[\s\S]*caracal_abc/)
  },
)

test('what is YAML can be read as such', () => {
  for (const { name, text } of SHIPPERS.filter(({ language }) => language === 'yaml'))
    for (const document of parseAllDocuments(text(ELSEWHERE)) as { errors: unknown[] }[])
      expect([name, document.errors]).toEqual([name, []])
})

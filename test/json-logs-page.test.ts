import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadShipped } from '../src/packs/load.ts'
import { packageRoot } from '../src/util/entry.ts'

const { schemas, tables } = await loadShipped()
const [recognised, named] = readFileSync(join(packageRoot(), 'docs/json-logs.md'), 'utf8')
  .split('\n## Named by their source\n')
  .map(
    (text) => new Set([...text.matchAll(/^\| .*/gm)].flatMap(([row]) => [...row.matchAll(/`([^`]+)`/g)].map(([, type]) => type))),
  )
const rows = new Set(tables.map(({ document }) => (document as { Schema?: string }).Schema))

/** Packs whose log types have pages of their own. */
const ELSEWHERE = /[/\\]packs[/\\](?:caracal|zeek|auth|netstat|nginx|apache|linux|syslog|auditd|journald|docker|falco)[/\\]/

test('docs/json-logs.md lists every log type of JSON, and whether its source has to name it', () => {
  const json = schemas.flatMap(({ name, file, document }) => {
    const { parser, guess = true } = document as { parser?: unknown; guess?: boolean }
    return parser || rows.has(name) || ELSEWHERE.test(file) ? [] : [{ name, guess }]
  })
  const namesOf = (isGuessed: boolean) => json.filter(({ guess }) => guess === isGuessed).map(({ name }) => name)
  expect([...recognised!].sort()).toEqual(namesOf(true).sort())
  expect([...named!].sort()).toEqual(namesOf(false).sort())
})

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { loadConfig } from './load.ts'

const folder = mkdtempSync(join(tmpdir(), 'caracal-config-'))
afterAll(() => rmSync(folder, { recursive: true }))

function refusal(yaml: string): string[] {
  const file = join(folder, 'caracal.yml')
  writeFileSync(file, yaml)
  try {
    loadConfig(file, {})
  } catch (error) {
    return (error as Error).message.replaceAll(file, 'FILE').split('\n')
  }
  return []
}

test('all errors are listed at once, each with its place, the value and what is allowed', () => {
  const yaml = `listen: abc
flush_ms: 3
destinations:
  - { type: webhook, id: soc, url: "secret" }
  - { type: webhok, id: soc2 }
  - { type: stdout }
sources:
  - { type: file, id: a b, paths: x }
`
  expect(refusal(yaml)).toEqual([
    'FILE:1 at listen: "abc": address:port, as in 127.0.0.1:4848',
    'FILE:8 at sources.0.id: "a b": lower-case letters, digits, - and _, at most 64',
    'FILE:8 at sources.0.paths: "x": expected array, received string',
    'FILE:4 at destinations.0.url: Invalid URL',
    'FILE:5 at destinations.1.type: "webhok": unknown type. Known: stdout, webhook',
    'FILE:6 at destinations.2.id: missing: expected string',
    'FILE:2 at flush_ms: 3: Too small: expected number to be >=50',
  ])
})

test('the list of errors is bounded', () => {
  const sources = Array.from({ length: 25 }, () => '  - { type: tape }').join('\n')
  const lines = refusal(`sources:\n${sources}\n`)
  expect(lines).toHaveLength(21)
  expect(lines[20]).toBe('… and 5 more')
})

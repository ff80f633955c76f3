import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openEngine } from './chdb-engine.ts'
import { HARMLESS_FUNCTIONS } from './sql-functions.ts'
import type { Surface } from './sql-guard.ts'
import { ALLOWED_TABLE_FUNCTIONS, FORBIDDEN_FUNCTIONS } from './sql-surface.ts'

const MIB = 1024 * 1024
const path = mkdtempSync(join(tmpdir(), 'lake-'))
let surface: Surface

beforeAll(async () => {
  const limits = { readers: 1, maxQueryBytes: 64 * MIB, maxMemoryBytes: 256 * MIB, maxQueryMs: 1000, maxResultBytes: MIB }
  const engine = await openEngine({ path, ...limits, fsync: false })
  surface = engine.surface
  engine.writer.close()
  engine.control.close()
})
afterAll(() => rmSync(path, { recursive: true }))

test('every function of this engine is either allowed or forbidden, and none is both', () => {
  const isInternal = (name: string) => name.startsWith('__')
  const known = [...HARMLESS_FUNCTIONS, ...FORBIDDEN_FUNCTIONS]
  const unknown = [...surface.functions].filter((name) => !known.includes(name) && !isInternal(name))
  expect(unknown, 'functions that need a place in sql-functions.ts or sql-surface.ts').toEqual([])
  expect(
    known.filter((name) => !surface.functions.has(name)),
    'functions that this engine does not have',
  ).toEqual([])
  expect(known.length).toBe(new Set(known).size)
})

test('every allowed table function exists', () => {
  expect([...ALLOWED_TABLE_FUNCTIONS].filter((name) => !surface.tableFunctions.has(name))).toEqual([])
})

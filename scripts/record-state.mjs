// Records the state database of this version, with rows in every table, as a fixture for src/state/earlier-states.test.ts, which opens
// it with every later version. Build first, then run it once with each new migration: `node scripts/record-state.mjs`.
// It begins with the state of an old data folder, so that the rows are real where there were any.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Database from 'libsql'
import { knownMigrations, openState } from '../dist/state/db.js'

const MAX_ROWS = 3
/** Of a blob: migrations do not look into them. */
const MAX_BYTES = 200

const root = fileURLToPath(new URL('..', import.meta.url))
const upTo = process.argv[2] ?? (await knownMigrations()).at(-1)
const target = join(root, 'test/fixtures/states', `${upTo}.sql`)
const folder = mkdtempSync(join(tmpdir(), 'caracal-record-state-'))
const archive = join(root, 'test/fixtures/data-folders/0.1.0-columns/folder.tgz')
execFileSync('tar', ['-C', folder, '-xzf', archive])
const dataDir = join(folder, readdirSync(folder).includes('data') ? 'data' : '.')
await (await openState(dataDir, { upTo })).destroy()

const db = new Database(join(dataDir, 'state.db'))
const all = (sql) => db.prepare(sql).all([])
const quoted = (name) => `"${name.replaceAll('"', '""')}"`
const lines = []
db.exec('PRAGMA foreign_keys = ON')
const objects = all("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid")
for (const { sql } of objects) lines.push(`${sql};`)
const tables = objects.filter(({ type, name }) => type === 'table' && !name.startsWith('kysely_'))
for (const { name } of tables) {
  db.exec(`DELETE FROM ${quoted(name)} WHERE rowid NOT IN (SELECT rowid FROM ${quoted(name)} ORDER BY rowid LIMIT ${MAX_ROWS})`)
  for (const column of all(`PRAGMA table_info(${quoted(name)})`).filter(({ type }) => /blob/i.test(type)))
    db.exec(`UPDATE ${quoted(name)} SET ${quoted(column.name)} = substr(${quoted(column.name)}, 1, ${MAX_BYTES})`)
}
for (const { name } of objects.filter(({ type }) => type === 'table')) {
  const columns = all(`PRAGMA table_info(${quoted(name)})`)
  const isOwn = !name.startsWith('kysely_')
  if (isOwn && all(`SELECT 1 FROM ${quoted(name)} LIMIT 1`).length === 0) db.exec(filler(name, columns))
  const values = columns.map((column) => `quote(${quoted(column.name)})`).join(` || ', ' || `)
  for (const { row } of all(`SELECT ${values} AS row FROM ${quoted(name)}`))
    lines.push(`INSERT INTO ${quoted(name)} VALUES (${row});`)
}
db.close()
rmSync(folder, { recursive: true })
// The folder that the data folder was made in.
const text = lines.join('\n').replace(/\/tmp\/caracal-data-folder-\w+/g, '/folder')
writeFileSync(target, `${text}\n`)
console.log(`${target}: ${lines.length} statements`)

/** A row for a table without any. Text is an empty JSON object, because most of it is JSON. */
function filler(table, columns) {
  const parents = new Map(all(`PRAGMA foreign_key_list(${quoted(table)})`).map((key) => [key.from, key]))
  const value = ({ name, type }) => {
    const parent = parents.get(name)
    if (parent) return `(SELECT ${quoted(parent.to)} FROM ${quoted(parent.table)} ORDER BY rowid LIMIT 1)`
    return /int/i.test(type) ? 1 : /blob/i.test(type) ? "x'00'" : "'{}'"
  }
  return `INSERT INTO ${quoted(table)} VALUES (${columns.map(value).join(', ')})`
}

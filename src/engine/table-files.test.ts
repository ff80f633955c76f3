import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { seeded } from '../../test/support/random.ts'
import { onEachState } from '../../test/support/states.ts'
import type { StateDb } from '../state/db.ts'
import { CHUNK_BYTES } from '../state/stored-files.ts'
import { TableFiles } from './table-files.ts'

onEachState(({ open }) => {
  const top = mkdtempSync(join(tmpdir(), 'caracal-table-files-'))
  afterAll(() => rmSync(top, { recursive: true, force: true }))

  let db: StateDb
  let first: string
  let second: string
  beforeEach(async () => {
    const folder = mkdtempSync(join(top, 'case-'))
    first = join(folder, 'first')
    second = join(folder, 'second')
    mkdirSync(first)
    mkdirSync(second)
    db = await open(first)
  })

  const put = (dataDir: string, path: string, content: string | Uint8Array) => {
    const file = join(dataDir, 'tables', path)
    mkdirSync(join(file, '..'), { recursive: true })
    writeFileSync(file, content)
  }
  const bytesOf = (n: number) => {
    const random = seeded(11)
    return Uint8Array.from({ length: n }, () => Math.floor(random() * 256))
  }
  const all = (dataDir: string) =>
    Object.fromEntries(
      readdirSync(join(dataDir, 'tables'), { recursive: true, encoding: 'utf8', withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ parentPath, name }) => join(parentPath, name))
        .map((path) => [path.slice(join(dataDir, 'tables').length + 1), readFileSync(path).toString('base64')]),
    )
  const chunks = async () =>
    Number(
      (
        await db
          .selectFrom('stored_chunks')
          .select((eb) => eb.fn.countAll<number>().as('n'))
          .executeTakeFirstOrThrow()
      ).n,
    )

  test('another folder gets the files of the first one, of any size, and loses what the state does not have', async () => {
    put(first, 'tor/aa.gz', bytesOf(3 * CHUNK_BYTES + 17))
    put(first, 'tor/bb.gz', '')
    put(first, 'tor/versions.json', '{"versions":[]}')
    put(first, 'tor/candidate.tmp', 'half')
    put(first, 'a%2Fb/versions.json', '{"versions":[]}')
    await TableFiles.open(db, first)
    put(second, 'tor/versions.json', 'old')
    put(second, 'removed/cc.gz', 'old')
    await TableFiles.open(db, second)
    rmSync(join(first, 'tables/tor/candidate.tmp'))
    expect(all(second)).toEqual(all(first))
  })

  test('only what has changed is stored again, and nothing stays of what was removed', async () => {
    put(first, 'live/answers.ndjson', bytesOf(2 * CHUNK_BYTES))
    put(first, 'tor/aa.gz', 'one')
    put(first, 'tor/bb.gz', 'two')
    const files = await TableFiles.open(db, first)
    expect(await chunks()).toBe(4)
    appendFileSync(join(first, 'tables/live/answers.ndjson'), 'more')
    await files.store('live')
    expect(await chunks()).toBe(5)
    rmSync(join(first, 'tables/tor/aa.gz'))
    await files.store('tor')
    rmSync(join(first, 'tables/live'), { recursive: true })
    await files.storeAll()
    expect(await chunks()).toBe(1)
    await TableFiles.open(db, second)
    expect(Object.keys(all(second))).toEqual(['tor/bb.gz'])
  })

  test('a damaged copy is replaced, and damage in the state is refused without touching the copy', async () => {
    put(first, 'tor/aa.gz', 'good content')
    await TableFiles.open(db, first)
    put(second, 'tor/aa.gz', 'evil content')
    await TableFiles.open(db, second)
    expect(readFileSync(join(second, 'tables/tor/aa.gz'), 'utf8')).toBe('good content')
    await db
      .updateTable('stored_chunks')
      .set({ data: Buffer.from('evil content') })
      .execute()
    put(second, 'tor/aa.gz', 'other')
    await expect(TableFiles.open(db, second)).rejects.toThrow(/tables\/tor\/aa\.gz in the state is damaged/)
    expect(readFileSync(join(second, 'tables/tor/aa.gz'), 'utf8')).toBe('other')
  })

  test.each(['tables/../../evil', 'tables/tor/..', 'elsewhere/tor/x', 'tables/tor/a/b', 'tables/a\\b/c'])(
    'a path that leads elsewhere is refused: %s',
    async (path) => {
      await TableFiles.open(db, first)
      await db.insertInto('stored_files').values({ path, bytes: 0, hash: '' }).execute()
      const opened = TableFiles.open(db, second)
      if (path.startsWith('tables/')) await expect(opened).rejects.toThrow(/not that of a table/)
      else await opened
      expect(readdirSync(join(second, '..')).sort()).toEqual(['first', 'second'])
      expect(existsSync(join(second, 'tables'))).toBe(false)
    },
  )

  test('files that were changed without the state are stored when it has them again', async () => {
    put(first, 'tor/versions.json', 'one')
    await TableFiles.open(db, first)
    await TableFiles.leave(db)
    put(first, 'tor/versions.json', 'two')
    await TableFiles.open(db, first)
    await TableFiles.open(db, second)
    expect(all(second)).toEqual(all(first))
  })

  test('a file whose storing was interrupted is as it was before', async () => {
    put(first, 'live/answers.ndjson', bytesOf(CHUNK_BYTES + 1))
    const files = await TableFiles.open(db, first)
    writeFileSync(join(first, 'tables/live/answers.ndjson'), 'short')
    await sql`ALTER TABLE stored_files RENAME TO hidden_files`.execute(db)
    await expect(files.store('live')).rejects.toThrow()
    await sql`ALTER TABLE hidden_files RENAME TO stored_files`.execute(db)
    await TableFiles.open(db, second)
    expect(readFileSync(join(second, 'tables/live/answers.ndjson'))).toHaveLength(CHUNK_BYTES + 1)
  })
})

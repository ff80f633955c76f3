import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { onEachState } from '../../test/support/states.ts'
import { type ContentMark, MAX_GENERATIONS, MAX_HISTORY_BYTES, MAX_TEXT_BYTES } from '../model/content-history.ts'
import { sha256 } from '../util/hash.ts'
import { contentFiles, contentTexts, filesAt, pastGeneration, pastGenerations, recordContent } from './content-history.ts'
import type { StateDb } from './db.ts'

onEachState(({ open }) => {
  let folder: string
  let db: StateDb
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'caracal-history-'))
    db = await open(folder)
  })
  afterEach(async () => {
    await db.destroy()
    rmSync(folder, { recursive: true, force: true })
  })

  const MARK: ContentMark = { cause: 'watch', actor: '', commits: {} }
  let generation = 0

  /** Records these files: path → text. */
  async function record(files: ReadonlyMap<string, Uint8Array>, mark = MARK): Promise<number | undefined> {
    const present = [...files].map(([path, text]) => ({ root: 'content', path, hash: sha256(text) }))
    const recorded = await recordContent(db, {
      ...mark,
      generation: String(++generation).padStart(16, '0'),
      nowMs: generation,
      files: present,
      textOf: async ({ path }) => files.get(path),
    })
    return recorded?.number
  }

  const bytes = (text: string) => Buffer.from(text)

  test('each generation’s changes lead from one state of the files to the next', async () => {
    const files = fc.dictionary(fc.constantFrom('a.yml', 'b.py', 'deep/c.yml', 'd.csv'), fc.string({ maxLength: 3 }))
    await fc.assert(
      fc.asyncProperty(fc.array(files, { minLength: 1, maxLength: 6 }), async (states) => {
        await db.deleteFrom('content_generations').execute()
        await db.deleteFrom('content_changes').execute()
        await db.deleteFrom('content_files').execute()
        for (const state of states) await record(new Map(Object.entries(state).map(([path, text]) => [path, bytes(text)])))
        const known = new Map<string, string>()
        for (const [at, past] of (await pastGenerations(db, 100)).reverse().entries()) {
          for (const { path, before, after } of past.files) {
            expect(known.get(path)).toBe(before)
            if (after === undefined) known.delete(path)
            else known.set(path, after)
          }
          const wanted = Object.entries(states[at]!).map(([path, text]) => [path, sha256(bytes(text))] as const)
          expect(known).toEqual(new Map(wanted))
          const files = (await filesAt(db, past.generation))!
          expect(new Map(files.map(({ path, hash }) => [path, hash]))).toEqual(known)
        }
        const texts = await contentTexts(db, [...known.values()])
        for (const [path, hash] of known)
          expect([path, Buffer.from(texts.get(hash)!).toString()]).toEqual([path, states.at(-1)![path]])
      }),
      { numRuns: 30 },
    )
  })

  test('unchanged content creates no new generation, and a generation can be found by number or hash', async () => {
    const present = { generation: 'abcdef0123456789', nowMs: 1, files: [], textOf: async () => undefined }
    expect(await recordContent(db, { ...MARK, ...present, actor: 'ann\0', commits: { 'https://x#main': 'f00' } })).toMatchObject({
      number: 1,
    })
    expect(await recordContent(db, { ...MARK, ...present })).toBeUndefined()
    await record(new Map([['a', bytes('1')]]))
    expect(await pastGeneration(db, 'abcdef')).toMatchObject({ number: 1, actor: 'ann\0', commits: { 'https://x#main': 'f00' } })
    expect(await pastGeneration(db, '2')).toMatchObject({ number: 2, files: [{ path: 'a', before: undefined }] })
    expect(await pastGeneration(db, 'ffff')).toBeUndefined()
  })

  test('old generations are deleted to make room for new ones, and long texts are not stored', async () => {
    const filler = (n: number) => Buffer.alloc(MAX_TEXT_BYTES, `${n},`)
    const kept = bytes('kept from the first on')
    const count = MAX_HISTORY_BYTES / MAX_TEXT_BYTES + 6
    for (let n = 0; n < count; n++)
      await record(
        new Map([
          ['big.csv', filler(n)],
          ['a.yml', kept],
        ]),
      )
    const { total } = await db
      .selectFrom('content_texts')
      .select((eb) => eb.fn.sum<number>('bytes').as('total'))
      .executeTakeFirstOrThrow()
    expect(Number(total)).toBeLessThanOrEqual(MAX_HISTORY_BYTES)
    const past = await pastGenerations(db, MAX_GENERATIONS)
    expect(past.length).toBeGreaterThan(count - 12)
    expect(past.length).toBeLessThan(count)
    expect(past[0]!.number).toBe(count)
    // Every stored generation can be undone, and the current files are known.
    const hashes = past.flatMap(({ files }) => files.flatMap(({ before, after }) => [before!, after!]))
    expect((await contentTexts(db, hashes)).size).toBe(new Set(hashes).size)
    expect((await contentTexts(db, [sha256(kept)])).size).toBe(1)
    await record(
      new Map([
        ['big.csv', Buffer.alloc(MAX_TEXT_BYTES + 1, 'x')],
        ['a.yml', kept],
      ]),
    )
    const [last] = await pastGenerations(db, 1)
    expect((await contentTexts(db, [last!.files[0]!.after!])).size).toBe(0)
    expect((await contentFiles(db)).length).toBe(2)
  }, 60_000)

  test('the number of stored generations is limited', async () => {
    for (let n = 0; n < MAX_GENERATIONS + 5; n++) await record(new Map([['a.yml', bytes(String(n))]]))
    const past = await pastGenerations(db, MAX_GENERATIONS * 2)
    expect([past.length, past.at(-1)!.number]).toEqual([MAX_GENERATIONS, 6])
    const { texts } = await db
      .selectFrom('content_texts')
      .select((eb) => eb.fn.countAll<number>().as('texts'))
      .executeTakeFirstOrThrow()
    expect(Number(texts)).toBe(MAX_GENERATIONS + 1)
  }, 60_000)
})

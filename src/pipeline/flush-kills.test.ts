import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { TableSpec } from '../model/column.ts'
import { RowWriter } from '../stages/store/row-writer.ts'
import { openState } from '../state/db.ts'
import { pipelineState } from '../state/pipeline-state.ts'
import { sourceCounts } from '../state/sources.ts'
import { commitTo, effectsIn } from '../state/state.fixture.ts'
import { Flusher } from './flusher.ts'
import { rowsOf } from './rows.ts'

const folder = mkdtempSync(join(tmpdir(), 'caracal-flush-kills-'))

class Killed extends Error {}

/** An engine that accepts a token once and refuses rows named `bad`. At the n-th statement it is killed, before or after storing it. */
class Engine {
  readonly stored: string[] = []
  readonly killed: Promise<void>
  isKilled = false
  readonly #tokens = new Set<string>()
  readonly #after: boolean
  #left: number
  #kill = () => {}

  constructor(nth: number, after: boolean) {
    this.#left = nth
    this.#after = after
    this.killed = new Promise((resolve) => {
      this.#kill = () => {
        this.isKilled = true
        resolve()
      }
    })
  }

  async ensure(): Promise<void> {}

  async store({ database }: TableSpec, file: string, token: string): Promise<string | undefined> {
    const isLast = this.#left-- === 0
    if (isLast) this.#kill()
    if (isLast && !this.#after) throw new Killed()
    const ids = readFileSync(file, 'latin1').match(/(?:good|bad)-\d/g) ?? []
    if (database === 'logs' && ids.some((id) => id.startsWith('bad'))) return 'bad row'
    if (!this.#tokens.has(token)) this.stored.push(...ids.map((id) => `${database} ${id}`))
    this.#tokens.add(token)
    if (isLast) throw new Killed()
    return undefined
  }
}

const spec: TableSpec = {
  database: 'logs',
  table: 't',
  timeColumn: 'p_row_id',
  columns: [
    { name: 'p_row_id', kind: 'string', required: true },
    { name: 'p_source_id', kind: 'string', required: true },
    { name: 'n', kind: 'ubigint' },
  ],
}

const KILLS = Array.from({ length: 8 }, (_, i) => [
  [i, 'before'],
  [i, 'after'],
]).flat() as [number, 'before' | 'after'][]

test.each(KILLS)(
  'a kill at statement %i of a flush that is cut, %s it was stored, doubles no row and loses none, those of an older version among them',
  async (statement, when) => {
    const dataDir = mkdtempSync(join(folder, 'data-'))
    const db = await openState(dataDir)
    const state = pipelineState(db)
    const json = '["good-1","s",1]\n["bad-2","s",-1]\n["good-3","s",3]\n'
    const binary = ['good-4', 'bad-5', 'good-6'].map((id, i) => [id, 's', i])
    const counts = [{ sourceId: 's', outcome: 'stored' as const, reason: '', n: 6 }]
    const rows = [{ spec, rows: Buffer.from(json), count: 3 }, ...rowsOf(spec, binary)]
    await commitTo(state, await effectsIn(state, 's', { rows, counts }))
    const engine = new Engine(statement, when === 'after')
    const flush = (kept: typeof state) =>
      new Flusher(kept, new RowWriter(mkdtempSync(join(folder, 'rows-')), engine), {
        flushRows: 1000,
        flushMs: 1_000_000,
        maxBytes: 1 << 20,
        now: () => 10,
        onTrouble: () => {},
      }).flush()
    // A killed process records nothing.
    const endFlush: typeof state.endFlush = async (...parts) => {
      if (engine.isKilled) throw new Killed()
      return state.endFlush(...parts)
    }
    await Promise.race([flush({ ...state, endFlush }).catch(() => {}), engine.killed])
    await flush(state)
    expect(engine.stored.filter((row) => row.startsWith('logs')).sort()).toEqual([1, 3, 4, 6].map((n) => `logs good-${n}`))
    expect(
      engine.stored
        .filter((row) => row.startsWith('monitor'))
        .map((row) => row.slice(-5))
        .sort(),
    ).toEqual(expect.arrayContaining(['bad-2', 'bad-5']))
    expect((await sourceCounts(db)).get('s')).toMatchObject({ stored: 4, deadLettered: 2 })
    await db.destroy()
  },
)

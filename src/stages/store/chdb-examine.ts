import { createWriteStream } from 'node:fs'
import { openEngine } from './chdb-engine.ts'
import type { ChildOptions } from './chdb-protocol.ts'
import { tableName } from './ddl.ts'
import { rowsOf, type Session } from './engine.ts'

/**
 * A process of its own that reads every part of every table in a lake and compares its checksums. The lake must not be open elsewhere. It
 * writes one JSON object, a `LakeExamination`, to descriptor 3: the standard descriptors are the engine's. A damaged lake may bring the
 * process down.
 */
export interface LakeExamination {
  readonly tables: number
  readonly parts: number
  /** Damaged parts: table, part and the engine's message. */
  readonly damaged: readonly { readonly table: string; readonly part: string; readonly message: string }[]
}

const OWN = "('system', 'information_schema', 'INFORMATION_SCHEMA', '_local')"

async function examine(session: Session): Promise<LakeExamination> {
  const found = await session.run(
    `SELECT database, name FROM system.tables WHERE endsWith(engine, 'MergeTree') AND database NOT IN ${OWN} ORDER BY 1, 2`,
  )
  const tables = rowsOf<[string, string]>(found)
  const damaged: LakeExamination['damaged'][number][] = []
  let parts = 0
  for (const [database, table] of tables) {
    const name = tableName({ database, table })
    const checked = await session.run(`CHECK TABLE ${name} SETTINGS check_query_single_value_result = 0`)
    for (const [part, isGood, message] of rowsOf<[string, number, string]>(checked)) {
      parts++
      if (!isGood) damaged.push({ table: `${database}.${table}`, part, message })
    }
  }
  return { tables: tables.length, parts, damaged }
}

const options = JSON.parse(process.argv[2] ?? '') as ChildOptions
const { writer } = await openEngine(options)
const answer = JSON.stringify(await examine(writer))
createWriteStream('', { fd: 3 }).end(answer, () => process.exit(0))

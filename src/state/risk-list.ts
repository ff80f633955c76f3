import { type Kysely, type Selectable, sql } from 'kysely'
import type { IndicatorField } from '../model/event.ts'
import type { RiskEntity } from '../model/risk.ts'
import { rankOf, riskEntity } from './risk.ts'
import type { StateTables } from './tables.ts'

/** A page looks at this many entities at most, so that a filter that few meet does not hold others up. */
const MAX_LOOKED_AT = 20_000

/** Where a page of entities begins: after the one with this rank and row. */
export interface RiskPlace {
  readonly rank: number
  readonly row: number
}

/** Which entities. */
export interface RiskPage {
  /** Any of these indicators; empty: all. */
  readonly fields: readonly IndicatorField[]
  /** What the value begins with. */
  readonly prefix: string
  /** The least score that is listed, now. */
  readonly minScore: number
  readonly nowMs: number
  readonly halfLifeMs: number
  readonly limit: number
  readonly after?: RiskPlace | undefined
}

export interface FoundRisk {
  readonly entities: readonly RiskEntity[]
  /** Where the next page begins; `undefined`: this is the last one. A page may be shorter than its limit. */
  readonly next: RiskPlace | undefined
}

type Row = Selectable<StateTables['risk']> & { readonly row: number }

/** Entities by risk, most first. */
export async function listRisk(db: Kysely<StateTables>, page: RiskPage): Promise<FoundRisk> {
  const { fields, prefix, minScore, nowMs, halfLifeMs, limit, after } = page
  const least = rankOf(minScore, nowMs, halfLifeMs)
  const place = after ? sql`AND (rank, rowid) < (${after.rank}, ${after.row})` : sql``
  const looked = sql`SELECT rowid AS row, * FROM risk WHERE rank >= ${least} ${place} ORDER BY rank DESC, rowid DESC LIMIT ${MAX_LOOKED_AT}`
  const ofField = fields.length > 0 ? sql`AND field IN (${sql.join(fields)})` : sql``
  const { rows } = await sql<Row>`SELECT * FROM (${looked}) WHERE substr(value, 1, ${[...prefix].length}) = ${prefix} ${ofField}
    ORDER BY rank DESC, row DESC LIMIT ${limit + 1}`.execute(db)
  const shown = rows.slice(0, limit)
  const entities = shown.map(riskEntity)
  if (rows.length > limit) return { entities, next: placeOf(shown.at(-1)!) }
  const { rows: rest } = await sql<RiskPlace>`SELECT rank, row FROM (${looked}) ORDER BY rank DESC, row DESC
    LIMIT 1 OFFSET ${MAX_LOOKED_AT - 1}`.execute(db)
  return { entities, next: rest[0] && placeOf(rest[0]) }
}

function placeOf({ rank, row }: RiskPlace): RiskPlace {
  return { rank, row }
}

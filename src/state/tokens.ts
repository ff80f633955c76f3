import type { Kysely } from 'kysely'
import { type ApiToken, MAX_TOKENS, type TokenRole } from '../model/account.ts'
import type { StateTables, TokenRow } from './tables.ts'

/** A token and the SHA-256 of its secret, in hex. */
export interface StoredToken {
  readonly hash: string
  readonly token: ApiToken
}

/** A token to add. */
export type NewToken = Pick<ApiToken, 'tokenId' | 'name' | 'role' | 'cidrs' | 'logTypes' | 'createdBy' | 'expiresMs'> & {
  readonly hash: string
  readonly userId?: string | null
}

/** A change of tokens. */
export type TokenAsk =
  | { readonly do: 'add'; readonly token: NewToken }
  | { readonly do: 'revoke'; readonly tokenId: string; readonly by: string }
  | { readonly do: 'used'; readonly tokenId: string; readonly address: string }

/** `taken`: a token in force has the name. `too_many`: there are as many as are stored. `undefined`: there is no such token. */
export type TokenAnswer = StoredToken | 'taken' | 'too_many' | undefined

/** Carries out a change of tokens. */
export function changeTokens(db: Kysely<StateTables>, ask: TokenAsk, nowMs: number): Promise<TokenAnswer> {
  switch (ask.do) {
    case 'add':
      return addToken(db, ask.token, nowMs)
    case 'revoke':
      return revokeToken(db, ask, nowMs)
    case 'used':
      return tokenUsed(db, ask, nowMs)
  }
}

/** Every token, oldest first. */
export async function storedTokens(db: Kysely<StateTables>): Promise<StoredToken[]> {
  const rows = await db.selectFrom('tokens').selectAll().orderBy('created_ms').orderBy('token_id').execute()
  return rows.map(storedToken)
}

function addToken(db: Kysely<StateTables>, token: NewToken, nowMs: number): Promise<TokenAnswer> {
  return db.transaction().execute(async (tx) => {
    const known = (await tx.selectFrom('tokens').selectAll().execute()).map(storedToken)
    const isTaken = known.some(
      ({ token: { name, expiresMs, revokedMs, userId } }) =>
        name.toLowerCase() === token.name.toLowerCase() &&
        userId === (token.userId ?? null) &&
        revokedMs === null &&
        (expiresMs === null || expiresMs > nowMs),
    )
    if (isTaken) return 'taken'
    if (known.length >= MAX_TOKENS) return 'too_many'
    await tx
      .insertInto('tokens')
      .values({
        token_id: token.tokenId,
        hash: token.hash,
        name: token.name,
        role: token.role,
        cidrs: JSON.stringify(token.cidrs),
        log_types: JSON.stringify(token.logTypes),
        created_ms: nowMs,
        created_by: token.createdBy,
        expires_ms: token.expiresMs,
        user_id: token.userId ?? null,
      })
      .execute()
    return byId(tx, token.tokenId)
  })
}

function revokeToken(
  db: Kysely<StateTables>,
  { tokenId, by }: { readonly tokenId: string; readonly by: string },
  nowMs: number,
): Promise<TokenAnswer> {
  return db.transaction().execute(async (tx) => {
    await tx
      .updateTable('tokens')
      .set({ revoked_ms: nowMs, revoked_by: by })
      .where('token_id', '=', tokenId)
      .where('revoked_ms', 'is', null)
      .execute()
    return byId(tx, tokenId)
  })
}

async function tokenUsed(
  db: Kysely<StateTables>,
  { tokenId, address }: { readonly tokenId: string; readonly address: string },
  nowMs: number,
): Promise<TokenAnswer> {
  await db.updateTable('tokens').set({ last_ms: nowMs, last_address: address }).where('token_id', '=', tokenId).execute()
  return byId(db, tokenId)
}

async function byId(db: Kysely<StateTables>, tokenId: string): Promise<StoredToken | undefined> {
  const row = await db.selectFrom('tokens').selectAll().where('token_id', '=', tokenId).executeTakeFirst()
  return row && storedToken(row)
}

function storedToken(row: TokenRow): StoredToken {
  return {
    hash: row.hash,
    token: {
      tokenId: row.token_id,
      name: row.name,
      role: row.role as TokenRole,
      cidrs: JSON.parse(row.cidrs) as string[],
      logTypes: JSON.parse(row.log_types) as string[],
      createdMs: row.created_ms,
      createdBy: row.created_by,
      expiresMs: row.expires_ms,
      revokedMs: row.revoked_ms,
      revokedBy: row.revoked_by,
      lastUsedMs: row.last_ms,
      lastAddress: row.last_address,
      userId: row.user_id,
    },
  }
}

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { StorageError } from '../../util/errors.ts'
import { DATABASES, quoteText, UNITED } from './ddl.ts'
import { OLD_VIEWS } from './indicators.ts'

/**
 * The engine does what the definitions in its folder say, already when it opens: a table can be any file of this machine, a view can write
 * to one, and a deletion that has not finished can read one. A restored backup can contain definitions that others have written, so they
 * are only opened if this program could have written them. Decided by words, in the engine's own notation, without parsing: only known
 * engines, functions, databases and numeric settings.
 */

/** One word of a definition. Comments and all other notations are no part of what the engine writes. */
const TOKEN = /\s+|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|\w+|->|-(?!-)|[()[\],=<>!+*.]/sy

const FUNCTIONS = new Set(
  `MergeTree ReplacingMergeTree AggregatingMergeTree Merge Nullable DateTime64 Array LowCardinality SimpleAggregateFunction
  groupUniqArrayArray toYYYYMMDD toMonday toYYYYMM toRelativeDayNum toYear abs toDateTime toIntervalDay bitOr bitShiftLeft toUInt64 greatest least
  toUnixTimestamp64Second CAST _CAST accurateCast accurateCastOrNull now64 throwIf multiIf if coalesce isNull isNotNull ifNull toNullable
  empty startsWith match concat replaceOne replaceRegexpOne parseDateTime64BestEffortOrNull toString toJSONString JSONType JSONExtract
  JSONExtractString JSONExtractRaw arrayMap arrayFilter arrayConcat tuple tupleElement toDate32 count min max sum`.split(/\s+/),
)
/** Words that can come before a bracket without being functions; the last one is the table that views of an older version filled. */
const KEYWORDS = new Set(['IN', 'AND', 'OR', 'NOT', 'WHERE', 'BY', 'AS', 'SELECT', 'ON', 'indicators'])
/** Words that move rows elsewhere, or begin work by themselves. */
const FORBIDDEN = new Set(['DISK', 'VOLUME', 'REFRESH', 'DICTIONARY', 'FUNCTION', 'JOIN'])
/** What comes before a dot, apart from digits: databases, and names within the views of an older version. */
const OWNERS = new Set(['logs', 'matches', 'signals', 'monitor', 'lookups', 't', 'seen'])

const ENGINES = [
  /^MergeTree (?:PARTITION|ORDER) /,
  /^ReplacingMergeTree \( p_is_over \) ORDER /,
  /^AggregatingMergeTree (?:PARTITION|ORDER) /,
  ...UNITED.map((database) => new RegExp(`^Merge \\( ${quoteText(database)} , '\\.\\*' \\)$`)),
]

/**
 * Looks at every definition below a lake's folder; call it before the engine opens the folder.
 *
 * @throws {StorageError} if there is one that is not Caracal's, with its file.
 */
export async function refuseForeign(lake: string): Promise<void> {
  for (const file of await files(join(lake, 'metadata'))) {
    const name = /^(\w+)\.sql/.exec(file)?.[1] ?? ''
    const isKnown = [...DATABASES, OLD_VIEWS].some((database) => database === name)
    await look(join(lake, 'metadata', file), (text) =>
      isKnown ? whyForeignDatabase(text) : 'its database is not one of the lake',
    )
  }
  const store = join(lake, 'store')
  for (const group of await names(store))
    for (const id of await names(join(store, group)))
      for (const file of await files(join(store, group, id)))
        await look(join(store, group, id, file), file.startsWith('mutation_') ? whyForeignChange : whyForeignTable)
}

/** Definitions and changes in a folder; the engine also completes names that an interrupted change has left. */
async function files(folder: string): Promise<string[]> {
  return (await names(folder)).filter((name) => /\.sql(?!\.tmp$|\.detached$)|^mutation_\d+\.txt$/.test(name))
}

async function names(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return []
    throw error
  })
}

async function look(file: string, why: (text: string) => string | undefined): Promise<void> {
  const found = why(await readFile(file, 'utf8'))
  if (found !== undefined)
    throw new StorageError(
      `the lake is not opened, because ${file} is not a definition of Caracal: ${found}. If the data folder was restored from a backup, do not trust that backup; otherwise find out who wrote the file.`,
    )
}

function whyForeignDatabase(text: string): string | undefined {
  return /^ATTACH DATABASE _ UUID '[0-9a-f-]{36}'\s+ENGINE = Atomic\s*$/.test(text) ? undefined : 'its engine is not Atomic'
}

/** Why the definition of a table or view is not Caracal's; `undefined`: it is. */
export function whyForeignTable(text: string): string | undefined {
  const tokens = tokensOf(text)
  if (typeof tokens === 'string') return tokens
  const head = /^ATTACH (TABLE|VIEW|MATERIALIZED VIEW) _ UUID '[0-9a-f-]{36}' /.exec(tokens.join(' '))
  if (!head) return 'it is neither a table nor a view'
  const foreign = whyForeignWords(tokens)
  if (foreign !== undefined) return foreign
  const [engines, settings] = ['ENGINE', 'SETTINGS'].map((word) => indexes(tokens, word))
  if (head[1] === 'TABLE') {
    if (engines!.length !== 1) return 'it has no single engine'
    const engine = tokens.slice(engines![0]! + 2).join(' ')
    if (tokens[engines![0]! + 1] !== '=' || !ENGINES.some((own) => own.test(engine)))
      return `its engine is ${engine.slice(0, 100)}`
    const pairs = settings!.length > 0 ? tokens.slice(settings![0]! + 1).join(' ') : 'a = 1'
    return /^\w+ = \d+(?: , \w+ = \d+)*$/.test(pairs) ? undefined : 'it has a setting that is not a number'
  }
  if (engines!.length + settings!.length > 0) return 'it is a view with an engine or settings'
  // An older version had these.
  const isOwn = head[1] === 'VIEW' || / TO monitor \. (?:indicators|`indicators`) /.test(tokens.join(' '))
  return isOwn ? undefined : 'it is a view that writes'
}

/** Why a change of rows that has not finished is not Caracal's; `undefined`: it is. */
export function whyForeignChange(text: string): string | undefined {
  const [, commands] = /\ncommands: (.*)/s.exec(text) ?? []
  if (commands === undefined) return 'it has no commands'
  const tokens = tokensOf(commands.replaceAll(/\\(.)/gs, (_, char: string) => (char === 'n' ? '\n' : char)))
  return typeof tokens === 'string' ? tokens : whyForeignWords(tokens)
}

/** The words of a definition, or why it has others. */
function tokensOf(text: string): string[] | string {
  const tokens: string[] = []
  TOKEN.lastIndex = 0
  for (let at = 0; at < text.length; at = TOKEN.lastIndex) {
    const [token] = TOKEN.exec(text) ?? []
    if (token === undefined) return `unexpected ${JSON.stringify(text.slice(at, at + 20))}`
    if (token.trim() !== '') tokens.push(token)
  }
  return tokens
}

function whyForeignWords(tokens: readonly string[]): string | undefined {
  for (const [i, token] of tokens.entries()) {
    const [before = '', after] = [tokens[i - 1], tokens[i + 1]]
    if (FORBIDDEN.has(token.toUpperCase()) && before.toUpperCase() !== 'ARRAY') return `it says ${token}`
    if (token === '(' && /^[\w`]/.test(before) && !FUNCTIONS.has(before) && !KEYWORDS.has(before)) return `it calls ${before}`
    const isOwner = OWNERS.has(token) || /^\d+$/.test(token) || (token === 'system' && tokens[i + 2] === 'one')
    if (after === '.' && !isOwner) return `it names something of ${token}`
  }
  return undefined
}

function indexes(tokens: readonly string[], word: string): number[] {
  return [...tokens.keys()].filter((i) => tokens[i]!.toUpperCase() === word)
}

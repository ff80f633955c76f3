import { describe, expect, test } from 'vitest'
import { guardQuery, type Surface } from './sql-guard.ts'
import { FORBIDDEN_FUNCTIONS } from './sql-surface.ts'

const surface: Surface = {
  tableFunctions: new Set(['file', 'url', 's3', 'numbers', 'view', 'merge', 'format', 'remote', 'executable', 'eval']),
  functions: new Set(['file', 'count', 'tomorrow']),
  aliases: new Map([
    ['user', 'currentuser'],
    ['inewday', 'tomorrow'],
  ]),
  databases: new Set(['default', 'system', 'information_schema', 'logs', 'matches', 'signals', 'monitor', 'lookups']),
}

function inner(sql: string, params = {}): string {
  const guarded = guardQuery(sql, params, 10, surface)
  expect(guarded.startsWith('SELECT * FROM (\n')).toBe(true)
  expect(guarded.endsWith('\n) LIMIT 11')).toBe(true)
  return guarded.slice('SELECT * FROM (\n'.length, -'\n) LIMIT 11'.length)
}

const taken = [
  { sql: 'SELECT 1', runs: 'SELECT 1' },
  { sql: '  select 1 ; ; ', runs: ' select 1' },
  { sql: 'SELECT 1 -- a note\n, 2 /* another ; */ , 3', runs: 'SELECT 1 , 2 , 3' },
  { sql: '(SELECT 1) UNION ALL (SELECT 2)', runs: '(SELECT 1) UNION ALL (SELECT 2)' },
  { sql: "WITH x AS (SELECT 'file(1)' AS a) SELECT a FROM x", runs: "WITH x AS (SELECT 'file(1)' AS a) SELECT a FROM x" },
  { sql: 'SELECT 1.5e-3, a >= 2, b::Int64, x -> x', runs: 'SELECT 1.5e-3, a >= 2, b::Int64, x -> x' },
  { sql: 'SELECT `größe`, "a b" FROM logs.t', runs: 'SELECT `größe`, "a b" FROM logs.t' },
  { sql: `SELECT 'a''b', 'c\\'d; --', '/* e'`, runs: `SELECT 'a''b', 'c\\'d; --', '/* e'` },
  { sql: 'SELECT hostname, file, count(hostname), count(t.file), uniq("settings") FROM t', runs: undefined },
  { sql: 'SELECT * FROM (SELECT file FROM logs.t)', runs: undefined },
  { sql: 'SELECT version, count(displayName), uniq(version), t.current_user, user FROM t GROUP BY version', runs: undefined },
  { sql: 'SELECT later(1)', runs: undefined },
  { sql: 'SELECT * FROM numbers(3)', runs: undefined },
  { sql: 'SELECT * FROM information_schema.tables', runs: undefined },
  { sql: 'SELECT * FROM INFORMATION_SCHEMA.TABLES', runs: undefined },
  { sql: 'SELECT t.system.x FROM logs.t AS t', runs: undefined },
  { sql: "SELECT map('a', 1), {'a': 1}", runs: undefined },
  { sql: 'SELECT * FROM panther_logs.public.aws_cloudtrail', runs: 'SELECT * FROM logs.aws_cloudtrail' },
  { sql: 'SELECT * FROM Panther_Logs.PUBLIC.aws_cloudtrail t', runs: 'SELECT * FROM logs.aws_cloudtrail t' },
  { sql: 'SELECT * FROM panther_logs.aws_cloudtrail', runs: 'SELECT * FROM logs.aws_cloudtrail' },
  { sql: 'SELECT * FROM "panther_rule_matches"."public"."x"', runs: 'SELECT * FROM matches."x"' },
  { sql: 'SELECT * FROM panther_signals.public.correlation_signals', runs: 'SELECT * FROM signals.correlation_signals' },
  { sql: 'SELECT * FROM panther_monitor.public.dead_letters', runs: 'SELECT * FROM monitor.dead_letters' },
  { sql: 'SELECT * FROM panther_views.public.all_logs', runs: 'SELECT * FROM logs.all' },
  { sql: 'SELECT * FROM panther_views.public.all_rule_matches', runs: 'SELECT * FROM matches.all' },
  { sql: 'SELECT panther_logs.public.t.a FROM panther_logs.public.t', runs: 'SELECT logs.t.a FROM logs.t' },
  { sql: 'SELECT * FROM lookups.bad_ips_history', runs: 'SELECT * FROM lookups.`bad_ips_history`' },
  { sql: 'SELECT * FROM panther_lookups.public.Bad_IPs b', runs: 'SELECT * FROM lookups.`bad_ips` b' },
  { sql: 'SELECT * FROM panther_lookups.bad_ips', runs: 'SELECT * FROM lookups.`bad_ips`' },
  {
    sql: 'SELECT lookups."OTX.Pulses".id FROM lookups."OTX.Pulses"',
    runs: 'SELECT lookups.`otx_pulses`.id FROM lookups.`otx_pulses`',
  },
  { sql: 'SELECT * FROM "Lookups"."it\'s `odd`"', runs: 'SELECT * FROM lookups.`it_s__odd_`' },
  { sql: 'SELECT lookups.Ip FROM logs.t AS lookups', runs: 'SELECT lookups.Ip FROM logs.t AS lookups' },
  { sql: "SELECT 'panther_logs.public.x' -- panther_logs.public.x", runs: "SELECT 'panther_logs.public.x'" },
  { sql: 'SELECT panther_logs FROM t', runs: 'SELECT panther_logs FROM t' },
]

test.each(taken)('$sql is accepted', ({ sql, runs }) => {
  const text = inner(sql)
  if (runs !== undefined) expect(text).toBe(runs)
})

test('placeholders become literals of their type, whatever the value contains', () => {
  const params = { a: `it's \\ ') FROM system.one --`, n: 7 }
  expect(inner('SELECT {a:String}, {n:UInt8}', params)).toBe(
    `SELECT CAST('it\\'s \\\\ \\') FROM system.one --' AS String), CAST('7' AS UInt8)`,
  )
})

const refused = [
  { sql: '', says: 'empty' },
  { sql: '-- nothing', says: 'empty' },
  { sql: 'SHOW TABLES', says: 'information_schema' },
  { sql: 'DROP TABLE logs.t', says: 'SELECT only' },
  { sql: 'SELECT 1; SELECT 2', says: 'more than one statement' },
  { sql: 'SELECT 1) INTO OUTFILE (SELECT 1', says: 'closes nothing' },
  { sql: 'SELECT 1) UNION ALL (SELECT 2', says: 'closes nothing' },
  { sql: 'SELECT (1]', says: 'closes nothing' },
  { sql: 'SELECT (1', says: 'never closed' },
  { sql: "SELECT 'abc", says: 'no end' },
  { sql: 'SELECT 1 /* abc', says: 'no end' },
  { sql: 'SELECT 1 /* a /* b */ c */', says: 'comment within the comment' },
  { sql: 'SELECT 1 // (\n) x', says: 'unexpected "/"' },
  { sql: 'SELECT 1 # x', says: 'unexpected "#"' },
  { sql: 'SELECT $a$x$a$', says: 'unexpected "$"' },
  { sql: 'SELECT ‘a’', says: 'unexpected "‘"' },
  { sql: 'SELECT \u00a01', says: 'unexpected' },
  { sql: 'SELECT `\\x66ile`(1)', says: 'backslash' },
  { sql: "SELECT file('/x')", says: 'function file' },
  { sql: "SELECT file /* x */ ('/x')", says: 'function file' },
  { sql: "SELECT `file`('/x')", says: 'function file' },
  { sql: "SELECT * APPLY(file) FROM (SELECT '/x')", says: 'function file' },
  { sql: "SELECT * APPLY file FROM (SELECT '/x')", says: 'function file' },
  { sql: 'SELECT * APPLY "file" FROM (SELECT 1)', says: 'function file' },
  { sql: "SELECT arrayMap(file, ['/x'])", says: 'function file' },
  { sql: "SELECT arrayMap(x -> file(x), ['/x'])", says: 'function file' },
  { sql: 'SELECT hostname()', says: 'function hostname' },
  { sql: 'SELECT user()', says: 'function user' },
  { sql: 'SELECT __getScalar(1)', says: 'function __getScalar' },
  { sql: 'SELECT tomorrow(1)', says: 'function tomorrow is not allowed in a query: this version' },
  { sql: 'SELECT iNewDay(1)', says: 'function iNewDay is not allowed in a query: this version' },
  { sql: 'SELECT @@version', says: 'unexpected "@"' },
  { sql: 'SELECT currentUser', says: 'function currentUser' },
  { sql: 'SELECT "current_user" FROM t', says: 'function current_user' },
  { sql: 'SELECT 1 WHERE session_user = 1', says: 'function session_user' },
  { sql: "SELECT * FROM url('x')", says: 'table function url' },
  { sql: "SELECT * FROM merge('system', 'x')", says: 'table function merge' },
  { sql: 'SELECT * FROM system.one', says: "database 'system'" },
  { sql: 'SELECT * FROM `system` . one', says: "database 'system'" },
  { sql: 'SELECT * FROM System.one', says: "database 'System'" },
  { sql: 'SELECT * FROM default.`/etc/passwd`', says: "database 'default'" },
  { sql: 'SELECT 1 SETTINGS max_threads = 1', says: 'SETTINGS' },
  { sql: 'SELECT * FROM (SELECT 1 settings readonly = 0)', says: 'SETTINGS' },
  { sql: "SELECT 1 INTO OUTFILE '/x'", says: 'INTO OUTFILE' },
  { sql: 'SELECT {a:String}', says: 'no value' },
  { sql: 'SELECT {toString:String}', says: 'no value' },
  { sql: 'SELECT {n:Identifier}', says: 'no type' },
  { sql: 'SELECT {n:String) FROM system.one}', says: 'closes nothing' },
  { sql: `SELECT ${'1'.repeat(300_000)}`, says: 'characters' },
]

test.each(refused)('$sql is refused: $says', ({ sql, says }) => {
  expect(() => guardQuery(sql, { n: 1 }, 10, surface)).toThrow(says)
})

/** A second copy of the names, so that removing one from the guard's list is noticed. */
const forbidden: Readonly<Record<string, string>> = {
  'files and formats': `file filesystemAvailable filesystemCapacity filesystemUnreserved catboostEvaluate evalMLMethod
    structureToCapnProtoSchema structureToProtobufSchema formatRow formatRowNoNewline`,
  network: 'showCertificate aiClassify aiEmbed aiExtract aiGenerate aiTranslate getClientHTTPHeader',
  host: 'hostName FQDN displayName getOSKernelVersion serverUUID serverTimezone generateSerialID generateSnowflakeID tid',
  'version and uptime': 'version revision buildId uptime hasThreadFuzzer zookeeperSessionUptime',
  'settings and topology': `getSetting getSettingOrDefault getServerSetting getMergeTreeSetting getMacro getServerPort tcpPort
    globalVariable shardNum shardCount getMaxTableNameLengthForDatabase`,
  'users and sessions': `currentUser authenticatedUser currentRoles enabledRoles defaultRoles currentProfiles enabledProfiles
    defaultProfiles connectionId queryID initialQueryID currentQueryID transactionID transactionLatestSnapshot
    transactionOldestSnapshot`,
  'the engine from inside': `addressToLine addressToLineWithInlines addressToSymbol demangle flameGraph logTrace sleep
    sleepEachRow mergeTreePartInfo isMergeTreePartCoveredBy runningConcurrency hasColumnInTable`,
  'objects beside the lake': `joinGet joinGetOrNull naiveBayesClassifier naiveBayesClassifierWithProb
    naiveBayesClassifierWithAllProbs regionHierarchy regionIn regionToArea regionToCity regionToContinent regionToCountry
    regionToDistrict regionToName regionToPopulation regionToTopContinent dictGet dictGetAll dictGetChildren dictGetDate
    dictGetDateOrDefault dictGetDateTime dictGetDateTimeOrDefault dictGetDescendants dictGetFloat32 dictGetFloat32OrDefault
    dictGetFloat64 dictGetFloat64OrDefault dictGetHierarchy dictGetInt8 dictGetInt8OrDefault dictGetInt16
    dictGetInt16OrDefault dictGetInt32 dictGetInt32OrDefault dictGetInt64 dictGetInt64OrDefault dictGetIPv4
    dictGetIPv4OrDefault dictGetIPv6 dictGetIPv6OrDefault dictGetKeys dictGetOrDefault dictGetOrNull dictGetRoot
    dictGetString dictGetStringOrDefault dictGetUInt8 dictGetUInt8OrDefault dictGetUInt16 dictGetUInt16OrDefault
    dictGetUInt32 dictGetUInt32OrDefault dictGetUInt64 dictGetUInt64OrDefault dictGetUUID dictGetUUIDOrDefault dictHas
    dictIsIn`,
}

describe.each(Object.entries(forbidden))('functions that reach %s', (_, names) => {
  test.each(names.split(/\s+/))('%s is refused', (name) => {
    for (const sql of [`SELECT ${name}(1)`, `SELECT 1 WHERE "${name.toUpperCase()}"() = 1`, `SELECT * APPLY ${name} FROM t`]) {
      expect(() => guardQuery(sql, {}, 10, surface), sql).toThrow(/is not allowed in a query: it reaches beyond the lake/)
    }
  })
})

test('the copy above is complete', () => {
  expect(Object.values(forbidden).join(' ').toLowerCase().split(/\s+/).sort()).toEqual([...FORBIDDEN_FUNCTIONS].sort())
})

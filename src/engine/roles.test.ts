import { expect, test } from 'vitest'
import { type Config, configSchema } from '../config/config.ts'
import { chosenProgram, type NodeRole } from './roles.ts'

const alone = configSchema.parse({})
const password = { env: 'PASSWORD' }
const state = { type: 'postgres', url: 'postgres://caracal@db.example.com/caracal', password }
const spool = { type: 'kafka', brokers: ['kafka.example.com:9092'] }
const lake = { type: 'clickhouse', url: 'https://clickhouse.example.com:8443', user: 'caracal', password, reader: { password } }
const onServers = configSchema.parse({ state, spool, lake })

test.each<[NodeRole[], Config, string]>([
  [[], alone, 'all'],
  [['worker', 'api', 'keeper'], alone, 'all'],
  [['keeper', 'ingest', 'worker', 'api'], alone, 'all'],
  [['ingest'], onServers, 'ingest'],
  [['ingest', 'ingest'], onServers, 'ingest'],
  [['ingest'], configSchema.parse({ state, spool }), 'ingest'],
  [['worker'], onServers, 'worker'],
  [['api'], configSchema.parse({ state }), 'api'],
  [['keeper', 'api'], onServers, 'keeper'],
  [['api', 'keeper', 'ingest'], onServers, 'keeper'],
  [['api', 'ingest'], configSchema.parse({ state, spool }), 'ingest,api'],
])('a node with the roles %j runs', (roles, config, program) => {
  expect(chosenProgram(roles, config)).toBe(program)
})

test.each<[NodeRole[]]>([
  [['ingest', 'worker']],
  [['worker', 'api']],
  [['worker', 'keeper']],
  [['keeper']],
  [['ingest', 'keeper']],
  [['ingest', 'worker', 'api']],
])('the roles %j are refused with what is possible', (roles) => {
  expect(() => chosenProgram(roles, onServers)).toThrow(
    /--role worker,api,keeper or --role api,keeper, which receive as well, --role ingest, --role worker, --role api or --role ingest,api/,
  )
})

test('a node cannot only receive while state or spool is in its data folder', () => {
  expect(() => chosenProgram(['ingest'], alone)).toThrow(/lacks state: \{type: postgres\} and spool: \{type: kafka\}/)
  expect(() => chosenProgram(['ingest'], configSchema.parse({ state }))).toThrow(/lacks spool: \{type: kafka\}:/)
})

test('a node cannot only judge while anything is in its data folder', () => {
  expect(() => chosenProgram(['worker'], alone)).toThrow(/lacks state: .* and lake: .* and spool: /)
  expect(() => chosenProgram(['worker'], configSchema.parse({ state, spool }))).toThrow(/lacks lake: \{type: clickhouse\}:/)
})

test('a node cannot only forward while the state is in its data folder', () => {
  expect(() => chosenProgram(['api'], alone)).toThrow(/role api finds .* lacks state: \{type: postgres\}:/)
  expect(() => chosenProgram(['ingest', 'api'], configSchema.parse({ state }))).toThrow(/lacks spool: \{type: kafka\}:/)
})

test('a node cannot leave judging to workers while anything is in its data folder', () => {
  expect(() => chosenProgram(['api', 'keeper'], alone)).toThrow(
    /role keeper leaves judging to workers, .* lacks state: .* and lake: .* and spool: /,
  )
})

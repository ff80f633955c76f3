import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FakeEngine, fakeEngine, TOKEN } from '../../test/support/fake-engine.ts'
import { createApp } from '../api/app.ts'
import { type RunningServer, startServer } from '../api/server.ts'
import type { Io } from './io.ts'
import { runCli } from './main.ts'
import { momentOf } from './times.ts'

let engine: FakeEngine
let server: RunningServer

beforeEach(async () => {
  engine = await fakeEngine()
  server = await startServer(createApp(engine).fetch, { listen: '127.0.0.1:0' })
  writeFileSync(join(engine.config.data_dir, 'token'), `${TOKEN}\n`)
})

afterEach(async () => {
  await server.close(0)
  await engine.dispose()
})

async function replay(...argv: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const said = { out: '', err: '' }
  const out = (text: string) => {
    said.out += text
  }
  const err = (text: string) => {
    said.err += text
  }
  const io: Io = {
    out,
    write: async (text) => out(text),
    err,
    isTty: false,
    columns: 80,
    hasColours: false,
    env: {},
    stdin: Readable.from([]),
    onInterrupt: () => () => {},
  }
  const flags = ['--data-dir', engine.config.data_dir, '--listen', new URL(server.url).host]
  return { code: await runCli(['replay', ...argv, ...flags], io), ...said }
}

test('a replay of dead letters shows their outcome, and untrusted text stays on its line', async () => {
  const { code, out } = await replay(
    'dead-letters',
    '--source',
    'default',
    '--source',
    'zeek',
    '--reason',
    'wrong_type',
    '--dry-run',
  )
  expect(code).toBe(0)
  expect(out).toBe(
    [
      'Replay 00 (dead-letters, dry run): done, 12 of 12 records',
      'would be stored as events: 7',
      'still dead letters: wrong_type 5',
      'Tor.SSH.Login: 1 new match, 3 known before',
      '  2023-05-15T14:23:07Z  Tor \\u{1b}[31m  (aa)',
      'alerts that would be made: 1',
      '  HIGH  1 event  2023-05-15T14:23:07Z  Tor again',
      'It waits for the lake.',
      '',
    ].join('\n'),
  )
  expect(engine.replaysNow[0]!.ask).toMatchObject({
    sources: ['default', 'zeek'],
    reasons: ['wrong_type'],
    dryRun: true,
    deliver: true,
  })
})

test.each<[string[], object]>([
  [
    ['events', '--log-type', 'Zeek.SSH', '--from', '2024-03-01'],
    { logTypes: ['Zeek.SSH'], by: 'event', dryRun: false, deliver: false },
  ],
  [
    ['events', '--rule', 'A', '--rule', 'B', '--from', '2024-03-01', '--received', '--deliver'],
    { rules: ['A', 'B'], by: 'received', deliver: true },
  ],
  [['dead-letters', '--no-deliver'], { kind: 'dead-letters', deliver: false }],
])('%s is asked for as it is given', async (argv, ask) => {
  expect((await replay(...argv)).code).toBe(0)
  expect(engine.replaysNow[0]!.ask).toMatchObject(ask)
})

test('replays are listed, shown and cancelled', async () => {
  expect((await replay('list')).out).toBe('No replays.\n')
  await replay('dead-letters', '--no-wait')
  expect((await replay('list')).out).toMatch(
    /^ID +CREATED[^\n]+\n00 +1970-01-01T00:16:40Z {2}dead-letters {2}done +12 of 12 +7 +1 +1\n$/,
  )
  expect(JSON.parse((await replay('show', '00', '--json')).out)).toMatchObject({ id: '00', stored: 7 })
  expect((await replay('cancel', '00')).out).toContain('cancelled')
  expect(await replay('show', '07')).toMatchObject({ code: 1, err: expect.stringContaining('there is no replay') })
})

test('a time is a date, a time or a span before now', async () => {
  const now = Date.UTC(2024, 3, 19, 12)
  expect(momentOf('--from', '90m', now)).toBe('2024-04-19T10:30:00.000Z')
  expect(momentOf('--from', '30d', now)).toBe('2024-03-20T12:00:00.000Z')
  expect(momentOf('--from', '2024-03-01', now)).toBe('2024-03-01T00:00:00.000Z')
  expect(momentOf('--from', '2024-03-01T10:00:00+02:00', now)).toBe('2024-03-01T08:00:00.000Z')
  for (const text of ['yesterday', '5w', '2024-13-01', '24']) {
    expect(await replay('events', '--rule', 'A', '--from', text)).toMatchObject({
      code: 2,
      err: expect.stringContaining('is no time'),
    })
  }
})

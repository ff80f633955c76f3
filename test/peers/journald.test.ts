import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { exported } from '../../src/stages/source/journald/journal.fixture.ts'
import { Caracal, freePort } from '../support/caracal.ts'
import { program } from './support/installed.ts'

const journalctl = program('journalctl')
/** Writes journal files from the export format, of the Debian package of that name. */
const remote = program('systemd-journal-remote')
const why = journalctl.why ?? remote.why

describe.skipIf(why)(`journalctl${why ? ` (${why})` : ''}`, () => {
  let folder: string
  let caracal: Caracal
  let writer: ChildProcess

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'caracal-journal-'))
    const logs = join(folder, 'journal')
    mkdirSync(logs)
    writer = spawn(remote.path!, ['-o', join(logs, 'system.journal'), '-'], { stdio: ['pipe', 'ignore', 'ignore'] })
    write(0, 10)
    const api = await freePort()
    const sources = [
      { type: 'journald', id: 'all', directory: logs, since: 'all' },
      {
        type: 'journald',
        id: 'some',
        files: [join(logs, '*.journal')],
        identifiers: ['odd'],
        matches: ['UNIT=a', 'UNIT=b'],
        since: 'all',
      },
    ]
    writeFileSync(join(folder, 'caracal.yml'), JSON.stringify({ listen: `127.0.0.1:${api}`, sources, flush_ms: 100 }))
    caracal = new Caracal({ port: api, dataDir: join(folder, 'data'), cwd: folder, args: ['--no-demo'] })
    await caracal.start()
  })
  afterAll(async () => {
    writer.stdin!.end()
    await once(writer, 'exit')
    await caracal.end('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })

  function write(from: number, to: number): void {
    for (let n = from; n < to; n++) {
      writer.stdin!.write(
        exported([
          ['__REALTIME_TIMESTAMP', String(1_713_527_881_579_123 + 1000 * n)],
          ['_BOOT_ID', '0123456789abcdef0123456789abcdef'],
          ['SYSLOG_IDENTIFIER', n % 2 === 0 ? 'even' : 'odd'],
          ['UNIT', 'abc'[n % 3]!],
          ['MESSAGE', String(n)],
        ]),
      )
    }
  }

  async function rows(sql: string, count: number): Promise<unknown[][]> {
    for (;;) {
      const found = await caracal.query(sql).catch(() => [])
      if (found.length >= count) return found
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  const numbers = (source: string) =>
    `SELECT toInt32(MESSAGE), count() FROM logs.linux_journal WHERE p_source_id = '${source}' AND match(MESSAGE, '^[0-9]+$') GROUP BY 1 ORDER BY 1`

  test('entries are stored once, through kills while they are written', async () => {
    for (let round = 0; round < 4; round++) {
      const from = 10 + 500 * round
      write(from, from + 500)
      await rows(numbers('all'), from + 100 * round)
      await caracal.end('SIGKILL')
      await caracal.start()
    }
    const all = await rows(numbers('all'), 2010)
    expect(all.map(([n, count]) => [Number(n), Number(count)])).toEqual(Array.from({ length: 2010 }, (_, n) => [n, 1]))
    const wanted = Array.from({ length: 2010 }, (_, n) => n).filter((n) => n % 2 === 1 && n % 3 < 2)
    const some = await rows(numbers('some'), wanted.length)
    expect(some.map(([n, count]) => [Number(n), Number(count)])).toEqual(wanted.map((n) => [n, 1]))
  })

  test('bytes, long texts and fields that occur several times arrive as journald wrote them', async () => {
    const long = 'é'.repeat(50_000)
    writer.stdin!.write(
      exported([
        ['__REALTIME_TIMESTAMP', '1713527999579123'],
        ['_BOOT_ID', '0123456789abcdef0123456789abcdef'],
        ['MESSAGE', Buffer.from('caf\xe9 \x1b[1mbold\nline two', 'latin1')],
        ['CODE_FUNC', long],
        ['TAG', 'a'],
        ['TAG', 'b'],
      ]),
    )
    const sql = `SELECT MESSAGE, CODE_FUNC, extra FROM logs.linux_journal WHERE p_source_id = 'all' AND MESSAGE LIKE 'caf%'`
    const [[message, func, extra]] = (await rows(sql, 1)) as [[string, string, string]]
    expect(message).toBe('caf\\xe9 \u001b[1mbold\nline two')
    expect(func).toBe(long)
    expect((JSON.parse(extra) as { TAG: string[] }).TAG.sort()).toEqual(['a', 'b'])
  })

  test('the cursors are those of journalctl', async () => {
    const printed = execFileSync(journalctl.path!, [`--file=${join(folder, 'journal/system.journal')}`, '-o', 'json', '-n', '5'])
    const cursors = printed
      .toString()
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { __CURSOR: string }).__CURSOR)
    const list = cursors.map((cursor) => `'${cursor}'`).join(', ')
    const stored = await rows(`SELECT __CURSOR FROM logs.linux_journal WHERE p_source_id = 'all' AND __CURSOR IN (${list})`, 5)
    expect(stored.map(([cursor]) => cursor).sort()).toEqual(cursors.sort())
  })
})

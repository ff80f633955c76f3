import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { exported } from '../../src/stages/source/journald/journal.fixture.ts'
import { Caracal, freePort } from '../support/caracal.ts'
import { program } from './support/installed.ts'

const uploader = program('systemd-journal-upload')
const remote = program('systemd-journal-remote')
const why = uploader.why ?? remote.why

describe.skipIf(why)(`systemd-journal-upload${why ? ` (${why})` : ''}`, () => {
  let folder: string
  let caracal: Caracal
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'caracal-upload-'))
    const api = await freePort()
    const sources = [{ type: 'journal_upload', id: 'journals' }]
    writeFileSync(join(folder, 'caracal.yml'), JSON.stringify({ listen: `127.0.0.1:${api}`, sources, flush_ms: 100 }))
    caracal = new Caracal({ port: api, dataDir: join(folder, 'data'), cwd: folder, args: ['--no-demo'] })
    await caracal.start()
  })
  afterAll(async () => {
    await caracal.end('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })

  const entry = (n: number, message: string | Buffer) =>
    exported([
      ['__REALTIME_TIMESTAMP', String(1_713_527_881_579_123 + 1000 * n)],
      ['_BOOT_ID', '0123456789abcdef0123456789abcdef'],
      ['SYSLOG_PID', String(n)],
      ['MESSAGE', message],
    ])

  /** The file is a new journal. */
  function journalOf(entries: readonly Buffer[]): string {
    const [input, output] = [join(folder, 'in.export'), join(folder, 'sent.journal')]
    rmSync(output, { force: true })
    writeFileSync(input, Buffer.concat(entries))
    execFileSync(remote.path!, ['-o', output, input], { stdio: 'ignore' })
    return output
  }

  function send(journal: string, password: string) {
    const url = `http://journal:${password}@127.0.0.1:${caracal.port}/ingest/journals`
    const args = [`--url=${url}`, `--file=${journal}`, `--save-state=${join(folder, 'state')}`, '--follow=no']
    return promisify(execFile)(uploader.path!, args)
  }

  test('a whole journal arrives, each entry once, and its cursor is kept by the sender', async () => {
    const count = 12_000
    const entries = Array.from({ length: count }, (_, n) => entry(n, `entry ${n} ${'x'.repeat(300)}`))
    entries[7] = entry(7, Buffer.from('entry 7 caf\xe9\nsecond line', 'latin1'))
    const token = readFileSync(join(folder, 'data/token'), 'utf8').trim()
    await send(journalOf(entries), token)
    let rows: unknown[][] = []
    while (Number(rows[0]?.[0] ?? 0) < count)
      rows = await caracal
        .query('SELECT count(), uniqExact(SYSLOG_PID), uniqExact(t.__CURSOR) FROM logs.linux_journal AS t')
        .catch(() => [])
    expect(rows[0]!.map(Number)).toEqual([count, count, count])
    expect(await caracal.query('SELECT MESSAGE FROM logs.linux_journal WHERE SYSLOG_PID = 7')).toEqual([
      ['entry 7 caf\\xe9\nsecond line'],
    ])
    expect(readFileSync(join(folder, 'state'), 'utf8')).toMatch(/LAST_CURSOR=s=/)
  })

  test('a wrong token is refused, and the sender says so', async () => {
    await expect(send(journalOf([entry(1, 'a')]), 'wrong')).rejects.toThrow(/401|Upload to .* failed/)
  })
})

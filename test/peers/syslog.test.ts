import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Caracal, freePort } from '../support/caracal.ts'
import { debianPackages, either, type Peer, program } from './support/installed.ts'

/** The program itself, or the root folder of its unpacked packages. */
const rsyslog = either(
  () => program('rsyslogd'),
  () => debianPackages(['rsyslog', 'libestr0', 'libfastjson4']),
)
const syslogNg = either(
  () => program('syslog-ng'),
  // The package excludes rsyslog's, so it is unpacked and not installed.
  () => debianPackages(['syslog-ng-core', 'libivykis0', 'libnet1', 'libwrap0', 'libpcre3']),
)
const logger = program('logger')
const why = ({ why }: Peer) => (why ? ` (${why})` : '')

let folder: string
let caracal: Caracal
let port: number
const children: ChildProcess[] = []

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'caracal-syslog-'))
  port = await freePort()
  const api = await freePort()
  const sources = [{ type: 'syslog', id: 'net', listen: `127.0.0.1:${port}` }]
  writeFileSync(join(folder, 'caracal.yml'), JSON.stringify({ listen: `127.0.0.1:${api}`, sources, flush_ms: 100 }))
  caracal = new Caracal({ port: api, dataDir: join(folder, 'data'), cwd: folder, args: ['--no-demo'] })
  await caracal.start()
})
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  await caracal.end('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

async function messages(table: string, appname: string, count: number): Promise<unknown[]> {
  for (;;) {
    const sql = `SELECT trimLeft(message) FROM logs.${table} WHERE appname = '${appname}' AND sender_ip = '127.0.0.1' ORDER BY message`
    const rows = await caracal.query(sql).catch(() => [])
    if (rows.length >= count) return rows.map(([message]) => message)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

describe.skipIf(logger.why)(`logger${why(logger)}`, () => {
  test.each([
    ['syslog_rfc5424', 'tcp-lines', ['--rfc5424', '-T'], 'one'],
    ['syslog_rfc5424', 'tcp-counted', ['--rfc5424', '-T', '--octet-count'], 'two\nlines'],
    ['syslog_rfc3164', 'udp-old', ['--rfc3164', '-d'], 'three'],
  ])('%s of %s', async (table, tag, options, message) => {
    execFileSync(logger.path!, [...options, '-n', '127.0.0.1', '-P', String(port), '-t', tag, message])
    expect(await messages(table, tag, 1)).toEqual([message])
  })
})

describe.skipIf(rsyslog.why)(`rsyslog${why(rsyslog)}`, () => {
  test('forwards a file with octet counting, each line once', async () => {
    const root = rsyslog.path!
    const isUnpacked = existsSync(join(root, 'usr'))
    const libraries = join(root, 'usr/lib/x86_64-linux-gnu')
    const input = join(folder, 'app.log')
    const lines = Array.from({ length: 2000 }, (_, n) => `line ${String(n).padStart(5, '0')} é`)
    writeFileSync(input, lines.map((line) => `${line}\n`).join(''))
    mkdirSync(join(folder, 'rsyslog'))
    writeFileSync(
      join(folder, 'rsyslog.conf'),
      `global(workDirectory="${join(folder, 'rsyslog')}")
module(load="imfile" mode="polling" pollingInterval="1")
input(type="imfile" File="${input}" Tag="app:")
action(type="omfwd" target="127.0.0.1" port="${port}" protocol="tcp" TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format")
`,
    )
    const child = spawn(
      isUnpacked ? join(root, 'usr/sbin/rsyslogd') : root,
      [
        ...(isUnpacked ? ['-M', join(libraries, 'rsyslog')] : []),
        ...['-n', '-f', join(folder, 'rsyslog.conf'), '-i', join(folder, 'rsyslog.pid')],
      ],
      { stdio: 'ignore', env: { ...process.env, ...(isUnpacked && { LD_LIBRARY_PATH: libraries }) } },
    )
    children.push(child)
    expect(await messages('syslog_rfc5424', 'app', 2000)).toEqual(lines)
  })
})

describe.skipIf(syslogNg.why)(`syslog-ng${why(syslogNg)}`, () => {
  test('forwards a file as RFC 5424 over TCP, each line once, and as RFC 3164 over UDP', async () => {
    const root = syslogNg.path!
    const isUnpacked = existsSync(join(root, 'usr'))
    const libraries = join(root, 'usr/lib/syslog-ng')
    const own = join(folder, 'syslog-ng')
    mkdirSync(own)
    const lines = Array.from({ length: 2000 }, (_, n) => `line ${String(n).padStart(5, '0')} é`)
    writeFileSync(join(own, 'many.log'), lines.map((line) => `${line}\n`).join(''))
    writeFileSync(join(own, 'few.log'), 'one\ntwo\n')
    const read = (file: string, program: string) =>
      `source { file("${join(own, file)}" follow-freq(1) flags(no-parse) program-override("${program}")); };`
    writeFileSync(
      join(own, 'syslog-ng.conf'),
      `@version: 3.38
log { ${read('many.log', 'ng-tcp')} destination { syslog("127.0.0.1" transport("tcp") port(${port})); }; };
log { ${read('few.log', 'ng-udp')} destination { network("127.0.0.1" transport("udp") port(${port})); }; };
`,
    )
    const child = spawn(
      isUnpacked ? join(root, 'usr/sbin/syslog-ng') : root,
      [
        ...(isUnpacked ? ['--module-path', join(libraries, '3.38')] : []),
        ...['-F', '-f', join(own, 'syslog-ng.conf'), '-R', join(own, 'persist'), '-p', join(own, 'pid'), '-c', join(own, 'ctl')],
      ],
      {
        stdio: 'ignore',
        cwd: own,
        env: {
          ...process.env,
          ...(isUnpacked && {
            LD_LIBRARY_PATH: [libraries, join(root, 'usr/lib/x86_64-linux-gnu'), join(root, 'lib/x86_64-linux-gnu')].join(':'),
          }),
        },
      },
    )
    children.push(child)
    expect(await messages('syslog_rfc5424', 'ng-tcp', 2000)).toEqual(lines)
    expect(await messages('syslog_rfc3164', 'ng-udp', 2)).toEqual(['one', 'two'])
  })
})

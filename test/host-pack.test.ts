import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Caracal, freePort } from './support/caracal.ts'

/** The whole program on what the journal of a host says while somebody breaks in, and while its administrator works. */
const folder = mkdtempSync(join(tmpdir(), 'caracal-host-'))
let caracal: Caracal

/** The rules on what is new have learnt since 1970, and know an administrator and a unit. */
const LEARNT = `from panther_detection_helpers.caching import add_to_string_set, increment_counter

def rule(event):
    if event.get("MESSAGE") != "learnt":
        return False
    for kind, known in (("sudo", "alice"), ("units", "nginx.service")):
        increment_counter(f"host-{kind}:web-1:since", 1)
        add_to_string_set(f"host-{kind}:web-1", [known])
    return True
`
const LEARNT_YML = `AnalysisType: rule
RuleID: Test.Learnt
DisplayName: learnt
Enabled: true
LogTypes: [Linux.Journal]
Severity: Info
Filename: learnt.py
`

beforeAll(async () => {
  mkdirSync(join(folder, 'content'))
  writeFileSync(join(folder, 'content/learnt.py'), LEARNT)
  writeFileSync(join(folder, 'content/learnt.yml'), LEARNT_YML)
  const port = await freePort()
  const sources = [{ type: 'http', id: 'journal', log_types: ['Linux.Journal'] }]
  writeFileSync(join(folder, 'caracal.yml'), JSON.stringify({ listen: `127.0.0.1:${port}`, flush_ms: 100, sources }))
  caracal = new Caracal({ port, dataDir: join(folder, 'data'), cwd: folder, args: ['--no-demo'] })
  await caracal.start()
})
afterAll(async () => {
  await caracal.end('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

let count = 0
function entry(program: string, message: string | null, more: object = {}): object {
  const time = String((Date.now() + count++) * 1000)
  return { __REALTIME_TIMESTAMP: time, _HOSTNAME: 'web-1', SYSLOG_IDENTIFIER: program, MESSAGE: message, ...more }
}
const sudo = (user: string) => entry('sudo', `   ${user} : TTY=pts/0 ; PWD=/tmp ; USER=root ; COMMAND=/usr/bin/id`)
const login = (user: string, from: string) => entry('sshd-session', `Accepted publickey for ${user} from ${from} port 50022 ssh2`)
const account = (name: string, shell: string) =>
  entry('useradd', `new user: name=${name}, UID=1001, GID=1001, home=/home/${name}, shell=${shell}, from=none`)
const unit = (name: string, id: string) => entry('systemd', `${name}: …`, { _PID: '1', UNIT: name, MESSAGE_ID: id })
const started = (name: string) => unit(name, '39f53479d3a045ac8e11786248231fbf')
const failed = (name: string) => unit(name, 'd9b373ed55a64feb8242e02dbe79a49c')

async function send(...entries: readonly object[]): Promise<void> {
  const body = entries.map((one) => JSON.stringify(one)).join('\n')
  expect((await caracal.fetch('/ingest/journal', { method: 'POST', body })).ok).toBe(true)
}

async function titles(): Promise<string[]> {
  const answer = (await (await caracal.fetch('/api/v1/alerts?limit=100')).json()) as { results: { title: string }[] }
  return answer.results.map(({ title }) => title).sort()
}

test('a break-in raises an alert for each of its steps, and the work of the administrator none', {
  timeout: 120_000,
}, async () => {
  await send(entry('test', 'learnt'))
  await expect.poll(titles, { timeout: 60_000 }).toEqual(['learnt'])
  await send(
    ...[login('root', '10.0.0.7'), login('alice', '8.8.4.4'), sudo('alice'), account('redis', '/usr/sbin/nologin')],
    ...[started('nginx.service'), started('user@1000.service'), ...Array.from({ length: 4 }, () => failed('backup.service'))],
    entry('backup', null, { PRIORITY: 'high', CODE_LINE: '12a' }),
  )
  await send(
    ...[login('root', '8.8.4.4'), sudo('www-data'), sudo('www-data'), account('bob', '/bin/bash'), started('miner.service')],
    ...Array.from({ length: 5 }, () => failed('nginx.service')),
    entry('usermod', "add 'bob' to group 'sudo'"),
  )
  const expected = [
    'New account bob on web-1',
    'New unit on web-1: miner.service',
    'bob was added to group sudo on web-1',
    'learnt',
    'nginx.service fails again and again on web-1',
    'root logged in to web-1 from 8.8.4.4',
    'www-data used sudo on web-1 for the first time',
  ]
  await expect.poll(titles, { timeout: 60_000 }).toEqual(expected.sort())
})

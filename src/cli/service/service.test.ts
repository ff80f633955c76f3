import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runWith } from '../../../test/support/cli.ts'
import { folderSteps } from './folders.ts'
import { launchdPlist } from './launchd.ts'
import type { Service } from './service.ts'
import { systemdUnit } from './systemd.ts'

const SERVICE: Service = {
  command: ['/usr/bin/node', '/opt/caracal/bin/caracal.js', 'up'],
  folder: '/etc/caracal',
  dataDir: '/var/lib/caracal',
  user: 'caracal',
  writes: [],
  backups: [],
  log: undefined,
  hasLowPort: false,
  asksMachine: false,
}

describe('a systemd unit', () => {
  test('may write to the data folder and what else is named, and nowhere else', () => {
    const text = systemdUnit({ ...SERVICE, writes: ['/srv/my alerts'] })
    expect(text).toContain('\nProtectSystem=strict\nReadWritePaths=/var/lib/caracal "/srv/my alerts"\n')
    expect(text).toContain('\nProtectHome=yes\n')
  })

  test('may write to the folders for backups too, which the steps create for its user', () => {
    const service = { ...SERVICE, backups: ['/srv/backups', '/mnt/my disk'] }
    expect(systemdUnit(service)).toContain('\nReadWritePaths=/var/lib/caracal /srv/backups "/mnt/my disk"\n')
    expect(systemdUnit({ ...SERVICE, backups: ['/home/ada/backups'] })).toContain('\nProtectHome=no\n')
    expect(folderSteps(service)).toEqual([
      'install -d -m 700 -o caracal /var/lib/caracal',
      'install -d -m 700 -o caracal /srv/backups',
      "install -d -m 700 -o caracal '/mnt/my disk'",
    ])
  })

  test.each<[string, Partial<Service>, RegExp, RegExp | undefined]>([
    ['no capabilities', {}, /^CapabilityBoundingSet=$/m, /CAP_/],
    ['low ports', { hasLowPort: true }, /^AmbientCapabilities=CAP_NET_BIND_SERVICE$/m, undefined],
    ['no other processes', {}, /^ProtectProc=invisible$/m, undefined],
    ['a host source', { asksMachine: true }, /^NoNewPrivileges=yes$/m, /ProtectProc/],
    ['a folder at home', { folder: '/home/ada/siem' }, /^ProtectHome=no$/m, undefined],
    ['a log file', { log: '/var/log/c%1.log' }, /^StandardError=append:\/var\/log\/c%%1\.log$/m, /=journal/],
    ['the journal', {}, /^StandardOutput=journal$/m, undefined],
    ['odd names', { command: ['/a b/n$x', '--y=50%'] }, /^ExecStart="\/a b\/n\$\$x" --y=50%%$/m, undefined],
  ])('with %s', (_, change, has, not) => {
    const text = systemdUnit({ ...SERVICE, ...change })
    expect(text).toMatch(has)
    if (not) expect(text).not.toMatch(not)
  })
})

test('a data folder that was used before is given to the user of the service with all that it contains', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'caracal-service-'))
  const created = `install -d -m 700 -o caracal ${dataDir}`
  expect(folderSteps({ ...SERVICE, dataDir })).toEqual([created])
  writeFileSync(join(dataDir, 'state.db'), '')
  expect(folderSteps({ ...SERVICE, dataDir })).toEqual([created, `chown -R caracal ${dataDir}`])
  rmSync(dataDir, { recursive: true })
})

test('a folder for backups that exists keeps its owner and mode', () => {
  const backups = mkdtempSync(join(tmpdir(), 'caracal-service-'))
  expect(folderSteps({ ...SERVICE, backups: [backups, '/srv/new'] }).slice(1)).toEqual([
    `sudo -u caracal test -w ${backups} || echo caracal cannot write to it`,
    'install -d -m 700 -o caracal /srv/new',
  ])
  rmSync(backups, { recursive: true })
})

test('a launchd job escapes what XML would act on', () => {
  const text = launchdPlist({ ...SERVICE, folder: '/a&b<c>' })
  expect(text).toContain('<key>WorkingDirectory</key><string>/a&amp;b&lt;c&gt;</string>')
  expect(text).toContain('<key>StandardOutPath</key><string>/var/lib/caracal/caracal.log</string>')
})

describe('caracal service install', () => {
  test('prints what it would write, with absolute paths', async () => {
    const { code, out, err } = await runWith({}, [
      'service',
      'install',
      '--print',
      '--manager',
      'systemd',
      '--data-dir',
      'd',
      '--user',
      'siem',
      '--backups',
      '/srv/b',
      '--backups',
      'b2',
    ])
    expect(code).toBe(0)
    expect(out).toMatch(/^ExecStart=\/.*node\S* \/.*bin\/caracal\.js up --no-demo --data-dir \/.*\/d$/m)
    expect(out).toMatch(/^User=siem$/m)
    expect(err).toMatch(/caracal\.service\. Next, as root:\n(?: {2}.*\n)* {2}systemctl enable --now caracal\n/)
    expect(out).toMatch(/^ReadWritePaths=\/.*\/d \/srv\/b \/.*\/b2$/m)
  })

  test.each([
    [['--user', 'a b'], /--user 'a b' is not the name of a user/],
    [['--data-dir', 'a\nExecStart=x'], /has a quote or control character/],
    [
      ['--manager', 'systemd', '--backups', '/tmp/b'],
      /'\/tmp\/b' is below \/tmp or \/var\/tmp, of which the service has its own/,
    ],
    [['--manager', 'init'], /Allowed choices are systemd, launchd/],
  ])('%j is refused', async (args, why) => {
    const { code, err } = await runWith({}, ['service', 'install', '--print', ...args])
    expect([code, err]).toEqual([2, expect.stringMatching(why)])
  })
})

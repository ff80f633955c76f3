import { expect, test } from 'vitest'
import { selfCall, selfName } from './self.ts'

test.each([
  ['/home/me/caracal/bin/caracal.js', '/home/me/caracal', 'node bin/caracal.js'],
  ['/home/me/caracal/bin/caracal.js', '/home/me/elsewhere', 'node /home/me/caracal/bin/caracal.js'],
  ['/usr/local/bin/caracal', '/home/me', 'caracal'],
])('%s, run in %s, is called %s', (script, folder, name) => {
  expect(selfName(script, folder)).toBe(name)
})

test.each<[args: string[], flags: string]>([
  [[], ''],
  [['up', '--no-demo', '--content', 'x'], ''],
  [['up', '--listen', '127.0.0.1:5000', '--data-dir=/srv/d'], ' --listen 127.0.0.1:5000 --data-dir /srv/d'],
  [['up', '--config', "my file's.yml"], " --config 'my file'\\''s.yml'"],
  [['up', '--listen'], ''],
])('a command after %j asks the same server', (args, flags) => {
  expect(selfCall('alerts show 1', args)).toMatch(new RegExp(` alerts show 1${flags.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`))
})

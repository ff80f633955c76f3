import { expect, test } from 'vitest'
import { selfName } from './self.ts'

test.each([
  ['/home/me/caracal/bin/caracal.js', '/home/me/caracal', 'node bin/caracal.js'],
  ['/home/me/caracal/bin/caracal.js', '/home/me/elsewhere', 'node /home/me/caracal/bin/caracal.js'],
  ['/usr/local/bin/caracal', '/home/me', 'caracal'],
])('%s, run in %s, is called %s', (script, folder, name) => {
  expect(selfName(script, folder)).toBe(name)
})

import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import type { Detector } from '../stages/detect/language.ts'
import { describeChildren, foldersApart } from './python-children.ts'

const GIB = 1024 ** 3

test.each([
  ['per_root', 1, true],
  ['shared', 64, false],
  [undefined, 4, false],
  [undefined, 4.1, true],
] as const)('python_children: %s with %s GiB of free memory', (python_children, gib, isApart) => {
  const folders = foldersApart({ content: ['rules'], python_children }, gib * GIB)
  expect(folders !== undefined).toBe(isApart)
  if (folders) expect(folders.at(-1)).toBe(resolve('rules'))
})

test('the log line about the children names the mode, and on Linux their memory', () => {
  const detector = (pids: number[]) => ({ pids }) as unknown as Detector
  const memory = process.platform === 'linux' ? / and hold \d+ MiB$/ : /\)$/
  expect(describeChildren([detector([process.pid, process.pid])], ['/a'])).toMatch(
    /^Python rules run in 2 processes \(python_children: per_root\)/,
  )
  expect(describeChildren([detector([process.pid])], undefined)).toMatch(memory)
  expect(describeChildren([detector([])], undefined)).toBeUndefined()
})

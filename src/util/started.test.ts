import { expect, test } from 'vitest'
import { Started } from './started.ts'

test('parts are stopped in reverse order, once, however often stop is called', async () => {
  const did: string[] = []
  const started = new Started((message) => did.push(message))
  expect(
    await started.step(
      'a',
      () => 1,
      (made) => did.push(`a ${made}`),
    ),
  ).toBe(1)
  await started.step(
    'b',
    async () => 2,
    async (made) => did.push(`b ${made}`),
  )
  await started.step('nothing to stop', () => 3)
  await Promise.all([started.stop(), started.stop()])
  await started.stop()
  expect(did).toEqual(['b 2', 'a 1'])
})

test('a part that fails to stop is reported, and the others still stop', async () => {
  const did: string[] = []
  const started = new Started((message) => did.push(message))
  await started.step(
    'a',
    () => {},
    () => did.push('a'),
  )
  await started.step(
    'b',
    () => {},
    () => Promise.reject(new Error('stuck')),
  )
  await started.stop()
  expect(did).toEqual(['b failed to stop: stuck', 'a'])
})

test('if a step fails, the ones before it are undone and its error is thrown', async () => {
  const did: string[] = []
  const failing = Started.all(
    (message) => did.push(message),
    async (started) => {
      await started.step(
        'a',
        () => {},
        () => did.push('a'),
      )
      await started.step(
        'b',
        () => {},
        () => {
          throw new Error('because of c')
        },
      )
      await started.step(
        'c',
        () => Promise.reject(new Error('no disk')),
        () => did.push('c'),
      )
    },
  )
  await expect(failing).rejects.toThrow('no disk')
  expect(did).toEqual(['a'])
})

test('a part that starts during a stop is stopped too, and nothing starts after it', async () => {
  const did: string[] = []
  const started = new Started((message) => did.push(message))
  let begin = () => {}
  const begun = new Promise<void>((resolve) => {
    begin = resolve
  })
  const step = started.step(
    'slow',
    () => begun,
    () => did.push('slow'),
  )
  await started.stop()
  begin()
  await expect(step).rejects.toThrow('stopped while slow was starting')
  await expect(started.step('late', () => did.push('late'))).rejects.toThrow('stopped before late was started')
  expect(did).toEqual(['slow'])
})

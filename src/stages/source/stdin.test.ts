import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { RetryLater } from '../../util/errors.ts'
import { sendNothing } from '../../util/http/send.ts'
import type { IntakeDeps } from './source.ts'
import { StdinIntake } from './stdin.ts'

function intakeOf(stream: PassThrough, append: IntakeDeps['append']) {
  return new StdinIntake(stream, { append, now: () => 1, authorised: () => true, send: sendNothing, secret: () => '' })
}

test('the spool gets all bytes in order, split only between lines, whatever the pieces', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '\n') }), { maxLength: 20 }), async (pieces) => {
      const stream = new PassThrough()
      const got: string[] = []
      const intake = intakeOf(stream, async (body) => void got.push(Buffer.from(body).toString()))
      for (const piece of pieces) stream.write(piece)
      stream.end()
      await once(stream, 'close')
      await intake.close()
      expect(got.join('')).toBe(pieces.join(''))
      for (const body of got.slice(0, -1)) expect(body.endsWith('\n')).toBe(true)
    }),
    { numRuns: 50, seed: 2 },
  )
})

test('nothing is read or lost while the spool is full', async () => {
  const stream = new PassThrough({ highWaterMark: 100 })
  let isFull = true
  const got: string[] = []
  const intake = intakeOf(stream, async (body) => {
    if (isFull) throw new RetryLater('full', 5)
    got.push(Buffer.from(body).toString())
  })
  const lines = Array.from({ length: 100 }, (_, i) => `line ${i} ${'x'.repeat(50)}\n`)
  let written = 0
  const writing = (async () => {
    for (const line of lines) {
      if (!stream.write(line)) await once(stream, 'drain')
      written++
    }
    stream.end()
  })()
  await vi.waitFor(() => expect(stream.writableNeedDrain).toBe(true))
  expect(written).toBeLessThan(20)
  isFull = false
  await writing
  await once(stream, 'close')
  await intake.close()
  expect(got.join('')).toBe(lines.join(''))
})

test('close ends even if the spool stays full, and reports what was lost', async () => {
  const warnings: string[] = []
  const onWarning = (warning: Error) => warnings.push(warning.message)
  process.on('warning', onWarning)
  const stream = new PassThrough()
  const intake = intakeOf(stream, () => Promise.reject(new RetryLater('full', 60_000)))
  stream.write('one\ntwo')
  await vi.waitFor(() => expect(stream.readableLength).toBe(0))
  await intake.close()
  await vi.waitFor(() => expect(warnings.join()).toMatch(/4 bytes of standard input could not be saved on shutdown: full/))
  process.off('warning', onWarning)
})

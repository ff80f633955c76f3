import { expect, test } from 'vitest'
import { configSchema } from '../../config/config.ts'
import type { AuditEntry } from '../../model/audit.ts'
import { Audit } from './audit.ts'

const entry = (event: AuditEntry['audit_event']): AuditEntry => ({ audit_event: event, request_path: '/api/v1/x', status: 401 })

function world() {
  const lines: Record<string, unknown>[] = []
  const lost: unknown[] = []
  const at = { nowMs: 1_700_000_000_000, isFull: false }
  const audit = new Audit({
    append: async (body) => {
      if (at.isFull) throw new Error('the spool is full')
      lines.push(JSON.parse(Buffer.from(body).toString()) as Record<string, unknown>)
    },
    onLost: (_, one) => lost.push(one),
    now: () => at.nowMs,
  })
  return { audit, lines, lost, at }
}

test('refused calls beyond a number per minute are counted instead, changes never', async () => {
  const { audit, lines, at } = world()
  for (let i = 0; i < 500; i++) await audit.record(entry('refused'))
  expect(lines).toHaveLength(120)
  await audit.record(entry('change'))
  expect(lines.at(-1)).toMatchObject({ audit_event: 'change', left_out: 380, time: '2023-11-14T22:13:20.000Z' })
  at.nowMs += 60_000
  await audit.record(entry('refused'))
  expect(lines).toHaveLength(122)
  expect(lines.at(-1)).not.toHaveProperty('left_out')
})

test('calls without a caller do not use up what may be recorded of a caller', async () => {
  const { audit, lines } = world()
  for (let i = 0; i < 200; i++) await audit.record(entry('refused'))
  await audit.record({ ...entry('refused'), caller: 'web' })
  expect(lines.at(-1)).toMatchObject({ caller: 'web', left_out: 80 })
})

test('an entry that cannot be stored is reported and does not fail the call', async () => {
  const { audit, lost, at, lines } = world()
  for (let i = 0; i < 121; i++) await audit.record(entry('refused'))
  at.isFull = true
  await audit.record(entry('change'))
  expect(lost).toEqual([entry('change')])
  at.isFull = false
  await audit.record(entry('change'))
  expect(lines.at(-1)).toMatchObject({ left_out: 1 })
})

test('its source cannot be configured', () => {
  const { error } = configSchema.safeParse({ sources: [{ type: 'http', id: 'caracal-audit' }] })
  expect(error?.issues[0]?.message).toMatch(/source of audit events/)
})

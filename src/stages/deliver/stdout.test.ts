import { expect, test } from 'vitest'
import { outgoingAlert } from '../../../test/support/alerts.ts'
import { connectNowhere } from '../../util/http/open-socket.ts'
import { sendNothing } from '../../util/http/send.ts'
import { stdout } from './stdout.ts'
import { webhookBody } from './webhook-body.ts'

const HOSTILE = 'a\x1b[2Jb\r\nc\u202ed\u009b31m\u2028e\u{e0001}😀'

async function print(format: 'text' | 'json', alert = outgoingAlert({ title: HOSTILE })): Promise<string> {
  let out = ''
  const write = (text: string) => {
    out += text
  }
  const deps = { send: sendNothing, socket: connectNowhere, trusted: {}, now: Date.now, write, secret: () => '' }
  const destination = await stdout.create(stdout.config.parse({ id: 't', format }), deps)
  await destination.send({ id: 'd', kind: 'opened', alert }, AbortSignal.timeout(1000))
  return out
}

test.each(['text', 'json'] as const)('%s: one line, without any control characters for the terminal', async (format) => {
  const out = await print(format)
  expect(out.endsWith('\n')).toBe(true)
  expect(out.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u)
  expect(out).toContain('😀')
})

test('json is the webhook body once unescaped', async () => {
  const alert = outgoingAlert({ title: HOSTILE })
  expect(JSON.parse(await print('json', alert))).toEqual(JSON.parse(webhookBody(alert)))
})

test('text contains severity and title', async () => {
  expect(await print('text', outgoingAlert({ severity: 'LOW', title: 'Tor' }))).toBe('LOW       Tor\n')
})

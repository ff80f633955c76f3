import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { TestConsole } from './support/console.ts'

const folder = mkdtempSync(join(tmpdir(), 'caracal-console-destinations-'))
/** What the webhook answers, and the alerts that it accepted. */
const webhook: { status: number; accepted: Record<string, unknown>[] } = { status: 200, accepted: [] }
let server: Server
let console_: TestConsole
beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      if (webhook.status === 200) webhook.accepted.push(JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>)
      response.writeHead(webhook.status).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const config = join(folder, 'caracal.yml')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/alerts`
  writeFileSync(
    config,
    `destinations: [{ type: webhook, id: soc, url: "${url}", severities: [HIGH, CRITICAL], max_per_minute: 7 }]\n`,
  )
  console_ = await TestConsole.start({ args: ['--config', config] })
})
afterAll(async () => {
  await console_.end()
  server.close()
  rmSync(folder, { recursive: true, force: true })
})
afterEach(() => {
  webhook.status = 200
  expect(console_.complaints.splice(0)).toEqual([])
})

test('a destination shows which alerts it gets, and a test alert arrives there', async () => {
  const page = await console_.page('/destinations')
  const row = page.getByRole('row', { name: /soc webhook/ })
  await row.getByText('Critical').waitFor()
  await row.getByText(/above 7 a minute as a digest/).waitFor()
  const before = webhook.accepted.length
  await row.getByRole('button', { name: 'Send a test alert to soc' }).click()
  await row.getByText('Accepted').waitFor()
  expect(webhook.accepted.length).toBe(before + 1)
  await row.getByRole('link', { name: 'soc' }).click()
  await page.getByText(/^To soc/).waitFor()
  expect(new URL(page.url()).searchParams.get('destination')).toBe('soc')
})

test('a test alert that is refused says what the service answered', async () => {
  webhook.status = 403
  const page = await console_.page('/destinations')
  const row = page.getByRole('row', { name: /soc webhook/ })
  await row.getByRole('button', { name: /Send a test/ }).click()
  await row.getByRole('alert').filter({ hasText: '403' }).waitFor()
})

test('a viewer sees destinations, and is not offered to send anything', async () => {
  const page = await console_.viewerPage('/destinations')
  await page.getByRole('row', { name: /soc webhook/ }).waitFor()
  expect(await page.getByRole('button', { name: /Send a test/ }).count()).toBe(0)
})

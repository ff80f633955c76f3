import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { freePort } from '../support/caracal.ts'
import { TestConsole } from './support/console.ts'

/** A real provider (`oidc-provider`) with the pages that it brings for development. */
async function startProvider(callback: string): Promise<Server> {
  const { default: Provider } = (await import('oidc-provider' as string)) as {
    default: new (...args: unknown[]) => { callback(): never }
  }
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const provider = new Provider(issuerOf(server), {
    clients: [{ client_id: 'caracal', client_secret: 'the-secret-of-the-client', redirect_uris: [callback] }],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'], groups: ['groups'] },
    scopes: ['openid', 'email', 'profile', 'groups'],
    pkce: { required: () => true },
    findAccount: (_: unknown, sub: string) => ({
      accountId: sub,
      claims: () => ({ sub, email: `${sub}@example.com`, email_verified: true, name: sub, groups: ['staff'] }),
    }),
    cookies: { keys: ['a key of these tests'] },
  })
  server.on('request', provider.callback())
  return server
}

const issuerOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`

const folder = mkdtempSync(join(tmpdir(), 'caracal-single-sign-on-'))
let provider: Server
let console_: TestConsole
beforeAll(async () => {
  const port = await freePort()
  provider = await startProvider(`http://127.0.0.1:${port}/sign-in/callback/oidc`)
  const secret = join(folder, 'client-secret')
  writeFileSync(secret, 'the-secret-of-the-client', { mode: 0o600 })
  const oidc = {
    ...{ issuer: issuerOf(provider), client_id: 'caracal', client_secret: { file: secret }, label: 'Example Inc.' },
    ...{ scopes: ['openid', 'email', 'profile', 'groups'], unknown_users: 'create' },
    ...{ role_claim: 'groups', roles: { analyst: ['staff'] } },
  }
  const config = join(folder, 'caracal.yml')
  writeFileSync(config, JSON.stringify({ listen: `127.0.0.1:${port}`, sign_in: { oidc } }))
  console_ = await TestConsole.start({ args: ['--config', config], port })
})
afterAll(async () => {
  await console_?.end()
  provider.closeAllConnections()
  await new Promise((resolve) => provider.close(resolve))
  rmSync(folder, { recursive: true, force: true })
})
afterEach(() => expect(console_.complaints.splice(0)).toEqual([]))

/** Goes through the pages of the provider. */
async function atProvider(page: Page, person: string): Promise<void> {
  await page.locator('input[name=login]').fill(person)
  await page.locator('input[name=password]').fill('anything')
  await page.locator('button[type=submit]').click()
  await page.getByRole('button', { name: 'Continue' }).click()
}

test('somebody signs in at the provider and gets to the page that was asked for', async () => {
  const page = await console_.visitor()
  await page.goto(`${console_.url}/alerts?severity=HIGH`)
  await page.getByRole('link', { name: 'Continue with Example Inc.' }).click()
  await atProvider(page, 'bo')
  await page.getByRole('link', { name: 'Unexpected Port Opened: 21' }).waitFor()
  expect(decodeURIComponent(new URL(page.url()).search)).toContain('HIGH')
  await page.getByRole('button', { name: 'Account bo@example.com' }).click()
  await page.getByText('analyst').waitFor()
  await page.context().close()
})

test('a session that ends is continued at the provider in another tab, and the form stays', async () => {
  const page = await console_.visitor()
  await page.goto(`${console_.url}/alerts?severity=HIGH`)
  await page.getByRole('link', { name: 'Continue with Example Inc.' }).click()
  await atProvider(page, 'cy')
  await page.getByRole('link', { name: 'Unexpected Port Opened: 21' }).click()
  await page.getByRole('heading', { level: 1, name: 'Unexpected Port Opened: 21' }).waitFor()
  const comment = page.getByRole('textbox', { name: 'Comment' })
  await comment.fill('Seen by Cy')
  await page.context().request.post(`${console_.url}/api/v1/sign-out`, { headers: { origin: console_.url } })
  await page.getByRole('button', { name: 'Comment' }).click()
  const dialog = page.getByRole('dialog')
  const opened = page.context().waitForEvent('page')
  await dialog.getByRole('link', { name: 'Continue with Example Inc.' }).click()
  const tab = await opened
  // The provider still knows who this is.
  await tab.getByRole('heading', { name: 'Overview' }).waitFor()
  await tab.close()
  await page.bringToFront()
  await page.evaluate('window.dispatchEvent(new Event("focus"))')
  await dialog.waitFor({ state: 'hidden' })
  expect(await comment.inputValue()).toBe('Seen by Cy')
  await page.context().close()
})

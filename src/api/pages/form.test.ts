import { expect, test } from 'vitest'
import { nextOf } from './form.ts'

test.each([
  '/',
  '/alerts',
  '/alerts/',
  '/?range=1d',
  '/alerts?status=OPEN&since=1..2',
  '/rules/AWS.S3..Public%20Bucket',
  "/search?sql=SELECT%20'a'//b",
  '/.well-known/...',
])('%s is a place to go after signing in', (path) => {
  expect(nextOf(path)).toBe(path)
})

test.each([
  undefined,
  '',
  'alerts',
  'https://evil.example/',
  '//evil.example',
  '///evil.example',
  '/\\evil.example',
  '/\tevil',
  '/a//b',
  '/..',
  '/../other',
  '/a/../../other',
  '/./other',
  '/%2e%2e/other',
  '/%2E%2e',
  '/.%2e/other',
  '/a/%2e./other?x=1',
  '/%2e/other',
  '/a#b',
])('%s is not: the start page is shown instead', (path) => {
  expect(nextOf(path)).toBe('/')
})

/** What a browser makes of a redirect, of a server that a proxy offers below `/siem/`. */
test.each(['/%2e%2e/other', '/a/%2e%2e/%2e%2e/other', '/alerts?x=/../..'])(
  'after %s, the browser is still below the path of the proxy',
  (path) => {
    expect(new URL(`.${nextOf(path)}`, 'https://example.org/siem/sign-in').pathname).toMatch(/^\/siem\//)
  },
)

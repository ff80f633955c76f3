import { expect, test } from 'vitest'
import type { ApiKeys } from './api-keys.ts'
import { authorize, authSchema, headersSchema } from './auth.ts'

const keys: ApiKeys = (name) => ({ user: 'ada', secret: `${name}-secret` })
const target = { url: 'https://api.example.com/list?a=b', headers: { accept: 'text/plain', KEY: 'old' } }
const authorized = (auth: object) => authorize(target, authSchema.parse(auth), keys)

test('a key is sent in the place that `auth` names, and nowhere else', () => {
  expect(authorize(target, undefined, keys)).toEqual(target)
  expect(authorized({ key: 'one', header: 'Key' })).toEqual({
    url: target.url,
    headers: { accept: 'text/plain', Key: 'one-secret' },
  })
  expect(authorized({ key: 'one', query: 'token' })).toEqual({ ...target, url: `${target.url}&token=one-secret` })
  expect(authorized({ key: 'one', query: 'a' }).url).toBe('https://api.example.com/list?a=one-secret')
  const authorization = (auth: object) => authorized(auth).headers['authorization']
  expect(authorization({ key: 'one' })).toBe('Bearer one-secret')
  expect(authorization({ key: 'one', scheme: 'SSWS' })).toBe('SSWS one-secret')
  expect(authorization({ key: 'one', scheme: 'Basic' })).toBe(`Basic ${btoa('ada:one-secret')}`)
})

test('one place only', () => {
  expect(authSchema.safeParse({ key: 'one', header: 'Key', query: 'token' }).error?.issues[0]?.message).toMatch(/only one of/)
})

test.each(['Host', 'hOST', 'Connection', 'Transfer-Encoding', 'Content-Length', 'Proxy-Authorization', 'a b', 'a\r\nb', ''])(
  'the header %j can be set neither directly nor with a key: it decides where a request ends up',
  (name) => {
    expect(headersSchema.safeParse({ [name]: 'evil.test' }).success).toBe(false)
    expect(authSchema.safeParse({ key: 'one', header: name }).success).toBe(false)
  },
)

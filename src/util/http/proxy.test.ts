import { expect, test } from 'vitest'
import { proxyFor } from './proxy.ts'

const proxies = { https: 'http://secure.test:1', http: 'http://plain.test:2' }

test.each<[url: string, except: string[], proxy: string | undefined]>([
  ['https://a.example.com/', [], proxies.https],
  ['http://a.example.com/', [], proxies.http],
  ['http://localhost:8080/', [], undefined],
  ['http://x.localhost/', [], undefined],
  ['http://127.8.9.1/', [], undefined],
  ['http://[::1]:80/', [], undefined],
  ['https://example.com/', ['*'], undefined],
  ['https://example.com/', ['example.com'], undefined],
  ['https://EXAMPLE.com./', ['Example.COM'], undefined],
  ['https://a.example.com/', ['example.com'], undefined],
  ['https://a.example.com/', ['.example.com'], undefined],
  ['https://a.example.com/', [' *.example.com '], undefined],
  ['https://example.com/', ['.example.com'], undefined],
  ['https://badexample.com/', ['example.com'], proxies.https],
  ['https://example.com/', ['example.com:443'], undefined],
  ['https://example.com:8443/', ['example.com:443'], proxies.https],
  ['http://10.1.2.3/', ['10.0.0.0/8'], undefined],
  ['http://11.1.2.3/', ['10.0.0.0/8'], proxies.http],
  ['http://ten.example.com/', ['10.0.0.0/8'], proxies.http],
  ['http://10.1.2.3/', ['10.1.2.3'], undefined],
  ['http://10.1.2.33/', ['2.33', '10.1.2.3'], proxies.http],
  ['http://[fd00::1]/', ['fd00::/8'], undefined],
  ['http://[fd00::1]:81/', ['[fd00::1]:81'], undefined],
  ['http://[fd00::1]/', ['fd00::1'], undefined],
  ['http://example.com/', ['', '10.0.0.0/99', 'x/y'], proxies.http],
])('%s with no_proxy %j: %s', (url, except, proxy) => {
  expect(proxyFor(new URL(url), { ...proxies, except })).toBe(proxy)
})

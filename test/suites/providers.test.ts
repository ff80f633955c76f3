import { describe, expect, test } from 'vitest'
import type { Provider, ProviderDeps } from '../../src/stages/enrich/provider.ts'
import { TableError } from '../../src/stages/enrich/table.ts'
import { url } from '../../src/stages/enrich/url.ts'
import { failedBy, testSuite } from './behaviours.ts'
import { type AnyProvider, providerSuite } from './providers.ts'

testSuite(providerSuite)

const whole = url as unknown as AnyProvider

/** A provider with a fault. */
function faulty(refresh: (inner: Provider, deps: ProviderDeps, config: { url: string }) => Provider['refresh']): AnyProvider {
  return {
    ...whole,
    create(config, deps) {
      return { refresh: refresh(whole.create(config, deps), deps, config) }
    },
  }
}

describe('the suite fails a provider that', () => {
  test.each<[string, AnyProvider, string]>([
    [
      'ignores the signal',
      faulty((inner) => (validators) => inner.refresh(validators, new AbortController().signal)),
      'ends when its signal is aborted',
    ],
    [
      'fetches everything every time',
      faulty((inner) => (_, signal) => inner.refresh({}, signal)),
      'gives content again only when it has changed',
    ],
    [
      'cuts what is too long',
      faulty((_, { send }, config) => async (_validators, signal) => {
        const answer = await send({ url: config.url, signal, timeoutMs: 5000, maxBytes: 1_000_000 })
        return { bytes: answer.body.subarray(0, 1000), validators: {} }
      }),
      'refuses content over its limit',
    ],
    [
      'takes a failure for content',
      faulty((_, { send }, config) => async (_validators, signal) => {
        const answer = await send({ url: config.url, signal, timeoutMs: 5000, maxBytes: 1_000_000 })
        return { bytes: answer.body, validators: {} }
      }),
      'fails as a TableError that names no secret',
    ],
    [
      'quotes its URL',
      faulty(
        (inner, _, config) => (validators, signal) =>
          inner.refresh(validators, signal).catch(() => {
            throw new TableError(`cannot fetch ${config.url}`)
          }),
      ),
      'fails as a TableError that names no secret',
    ],
  ])('%s', async (_, provider, name) => {
    expect(await failedBy(providerSuite.behaviours, () => provider)).toContain(name)
  })

  test('changes what it fetches', async () => {
    const trims = faulty((inner) => async (validators, signal) => {
      const fetched = await inner.refresh(validators, signal)
      return fetched && { ...fetched, bytes: Buffer.from(Buffer.from(fetched.bytes).toString().replaceAll('\r', '')) }
    })
    expect(await failedBy(providerSuite.behaviours, () => trims)).toEqual(['gives the content byte by byte'])
  })
})

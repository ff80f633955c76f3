import { afterEach, beforeEach, expect, test } from 'vitest'
import { TestServer } from '../../../test/support/servers.ts'
import { signed } from '../http/aws-signature.ts'
import { createHttp, type Http } from '../http/http.ts'
import type { SecretReference } from '../secret.ts'
import { Credentials } from './credentials.ts'

const ARN = 'arn:aws:iam::123456789012:role/logs'
let server: TestServer
let http: Http
let env: Record<string, string>
beforeEach(async () => {
  server = await new TestServer().listen()
  http = createHttp({ proxy: { https: undefined, http: undefined, except: [] }, allowPrivate: [] })
  env = { AWS_ACCESS_KEY_ID: 'AKIDENV', AWS_SECRET_ACCESS_KEY: 's3cr3t' }
})
afterEach(async () => {
  await http.close()
  await server.close()
})

const { signal } = new AbortController()
function secret(reference: SecretReference): string {
  const value = 'env' in reference ? env[reference.env] : undefined
  if (value === undefined) throw new Error(`${JSON.stringify(reference)} is not set`)
  return value
}
const outside = () => ({ send: http.configured, secret, folder: '' })
const role = () =>
  new Credentials(undefined, { arn: ARN, externalId: 'shared id', region: 'eu-central-1', endpoint: server.url }, outside())

/** The token service, with credentials that last this long. */
function answerWith(seconds: number): void {
  let n = 0
  server.answer = (response) => {
    n++
    const expires = new Date(Date.now() + seconds * 1000).toISOString()
    const parts = `<AccessKeyId>ASIA${n}</AccessKeyId><SecretAccessKey>k/${n}+=</SecretAccessKey><SessionToken>t${n}</SessionToken>`
    const own = `<Credentials>${parts}<Expiration>${expires}</Expiration></Credentials>`
    response.end(`<AssumeRoleResponse><AssumeRoleResult>${own}</AssumeRoleResult></AssumeRoleResponse>`)
  }
}

test('without a block they are those of the environment, with its token if there is one', async () => {
  const credentials = new Credentials(undefined, undefined, outside())
  expect(await credentials.get(signal)).toEqual({ accessKeyId: 'AKIDENV', secretAccessKey: 's3cr3t', sessionToken: undefined })
  env['AWS_SESSION_TOKEN'] = 'temporary'
  expect(await credentials.get(signal)).toMatchObject({ sessionToken: 'temporary' })
})

test('a role is assumed once for all requests, with a valid signature over the body', async () => {
  answerWith(3600)
  const credentials = role()
  const all = await Promise.all([credentials.get(signal), credentials.get(signal)])
  expect([...all, await credentials.get(signal)]).toEqual(
    Array(3).fill({ accessKeyId: 'ASIA1', secretAccessKey: 'k/1+=', sessionToken: 't1' }),
  )
  const [request, ...others] = server.received
  expect(others).toEqual([])
  const form = Object.fromEntries(new URLSearchParams(request!.body))
  expect(form).toMatchObject({ Action: 'AssumeRole', RoleArn: ARN, ExternalId: 'shared id' })
  const date = String(request!.headers['x-amz-date'])
  const nowMs = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
  const headers = { 'content-type': String(request!.headers['content-type']) }
  const own = {
    method: 'POST',
    url: new URL(server.url),
    headers,
    region: 'eu-central-1',
    service: 'sts',
    body: request!.body,
    nowMs,
  }
  const expected = signed(own, { accessKeyId: 'AKIDENV', secretAccessKey: 's3cr3t' })['authorization']
  expect(request!.headers['authorization']).toBe(expected)
})

test('credentials of a role are renewed before they expire', async () => {
  answerWith(200)
  const credentials = role()
  await credentials.get(signal)
  expect(await credentials.get(signal)).toMatchObject({ accessKeyId: 'ASIA2' })
})

test('a role that cannot be assumed is refused with the reason, without secrets', async () => {
  server.answer = (response) =>
    void response.writeHead(403).end('<Error><Code>AccessDenied</Code><Message>s3cr3t</Message></Error>')
  const failed = role().get(signal)
  await expect(failed).rejects.toThrow(`the role ${ARN} cannot be assumed: answered 403 (AccessDenied)`)
  await expect(failed).rejects.not.toThrow(/s3cr3t/)
  server.answer = (response) => void response.end('<html></html>')
  await expect(role().get(signal)).rejects.toThrow(/the answer holds no credentials/)
})

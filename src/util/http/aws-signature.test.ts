import { expect, test } from 'vitest'
import { signed } from './aws-signature.ts'

/** The examples of "Authenticating Requests: Using the Authorization Header" in the documentation of S3. */
const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' }
const request = { method: 'GET', region: 'us-east-1', service: 's3', nowMs: Date.parse('2013-05-24T00:00:00Z') }

test.each<[string, string, Record<string, string>, string, string]>([
  [
    'an object',
    '/test.txt',
    { Range: 'bytes=0-9' },
    'host;range;x-amz-content-sha256;x-amz-date',
    'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  ],
  [
    'a query without a value',
    '/?lifecycle',
    {},
    'host;x-amz-content-sha256;x-amz-date',
    'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
  ],
  [
    'a listing',
    '/?prefix=J&max-keys=2',
    {},
    'host;x-amz-content-sha256;x-amz-date',
    '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
  ],
])('%s is signed as documented', (_, path, headers, names, signature) => {
  const url = new URL(`https://examplebucket.s3.amazonaws.com${path}`)
  expect(signed({ ...request, url, headers }, credentials)).toEqual({
    ...headers,
    'x-amz-content-sha256': 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    'x-amz-date': '20130524T000000Z',
    authorization: `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=${names}, Signature=${signature}`,
  })
})

test('the token of temporary credentials is sent and signed', () => {
  const url = new URL('https://examplebucket.s3.amazonaws.com/a')
  const headers = signed({ ...request, url, headers: {} }, { ...credentials, sessionToken: 'token' })
  expect(headers['x-amz-security-token']).toBe('token')
  expect(headers['authorization']).toContain('x-amz-security-token,')
})

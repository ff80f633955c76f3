import { expect, test } from 'vitest'
import { awsAlb, awsElb } from './aws-load-balancers.ts'
import { awsS3Access } from './aws-s3-access.ts'

const [alb] = awsAlb.example.texts as [string]
const [elb] = awsElb.example.texts as [string]
const [s3] = awsS3Access.example.texts as [string]

test('a request to a load balancer that was not HTTP', () => {
  const record = awsElb.parse(elb.replace('"GET http://www.example.com:80/ HTTP/1.1"', '"- - - "').replace(' 200 200 ', ' - - '))
  expect(record).not.toHaveProperty('request')
  expect(record).not.toHaveProperty('requestHttpMethod')
  expect(record).not.toHaveProperty('elbStatusCode')
})

test('a request line that is broken is kept', () => {
  expect(awsAlb.parse(alb.replace('GET https', '- https'))).toMatchObject({ request: expect.stringContaining('- https') })
})

test('entries from before AWS added columns, and with columns that are new', () => {
  expect(awsAlb.parse(alb.slice(0, alb.indexOf(' 0 2024-')))).toMatchObject({ domainName: 'example.com' })
  expect(awsAlb.parse(`${alb} "-" "-" "-" "-" "-" new -`)).toMatchObject({ additionalFields: ['new', null] })
})

test('a user agent with quotes that S3 did not escape', () => {
  expect(awsS3Access.parse(s3.replace('curl/8.5.0', 'a"b'))).toMatchObject({ useragent: 'a"b', tlsVersion: 'TLSv1.2' })
})

test('each parser refuses the lines of the others', () => {
  expect([awsAlb.parse(elb), awsAlb.parse(s3), awsElb.parse(alb), awsElb.parse(s3), awsS3Access.parse(alb)]).toEqual(
    new Array(5).fill(undefined),
  )
})

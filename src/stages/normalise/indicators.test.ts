import { isIP } from 'node:net'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fuzzRuns } from '../../../test/support/fuzz.ts'
import { INDICATOR_FIELDS } from '../../model/event.ts'
import { extractors, type IndicatorName, Indicators, isIp, isIpv4 } from './indicators.ts'

function found(name: IndicatorName, ...values: string[]) {
  const into = new Indicators()
  for (const value of values) extractors[name].extract(value, into)
  return Object.fromEntries(
    INDICATOR_FIELDS.flatMap((field) => (into[field].list ? [[field.replace('p_any_', ''), into[field].list]] : [])),
  )
}

const md5 = 'D41D8CD98F00B204E9800998ECF8427E'

test.each<[IndicatorName, string, object]>([
  ['ip', ' 192.0.2.1 ', { ip_addresses: ['192.0.2.1'] }],
  ['ip', '2001:DB8::1', { ip_addresses: ['2001:DB8::1'] }],
  ['ip', 'fe80::1%eth0', {}],
  ['ip', '192.0.2.256', {}],
  ['ip', '01.2.3.4', {}],
  ['ip', '-', {}],
  ['domain', ' Example.COM ', { domain_names: ['Example.COM'] }],
  ['domain', 'xn--caf-dma.example', { domain_names: ['café.example'] }],
  ['domain', ' ', {}],
  ['hostname', '-', {}],
  ['hostname', '192.0.2.1', { ip_addresses: ['192.0.2.1'] }],
  ['hostname', 'host.example', { domain_names: ['host.example'] }],
  ['url', 'https://user:pw@host.example:8443/a?b', { domain_names: ['host.example'] }],
  ['url', 'http://[2001:db8::1]:80/', { ip_addresses: ['2001:db8::1'] }],
  ['url', 'http://192.0.2.1/x@y', { ip_addresses: ['192.0.2.1'] }],
  ['url', '/relative', {}],
  ['url', 'no url', {}],
  ['net_addr', '192.0.2.1:80', { ip_addresses: ['192.0.2.1'] }],
  ['net_addr', '0.0.0.0:*', { ip_addresses: ['0.0.0.0'] }],
  ['net_addr', '127.0.0.53%lo:53', { ip_addresses: ['127.0.0.53'] }],
  ['net_addr', '[fe80::1%eth0]:22', { ip_addresses: ['fe80::1'] }],
  ['net_addr', '[2001:db8::1]:443', { ip_addresses: ['2001:db8::1'] }],
  ['net_addr', ':::22', { ip_addresses: ['::'] }],
  ['net_addr', '2001:db8::1', { ip_addresses: ['2001:db8::1'] }],
  ['net_addr', 'host.example:53', { domain_names: ['host.example'] }],
  ['net_addr', 'host.example', { domain_names: ['host.example'] }],
  ['net_addr', '*:*', {}],
  ['email', ' a@b.example ', { emails: ['a@b.example'] }],
  ['email', 'nobody', {}],
  ['username', 'Alice ', { usernames: ['Alice '] }],
  ['username', '-', {}],
  ['md5', md5, { md5_hashes: [md5.toLowerCase()] }],
  ['md5', `${md5}0`, {}],
  ['sha1', md5, {}],
  ['sha256', 'f'.repeat(64), { sha256_hashes: ['f'.repeat(64)] }],
  ['sha256', 'g'.repeat(64), {}],
  [
    'aws_arn',
    'arn:aws:iam::123456789012:user/bob',
    { aws_arns: ['arn:aws:iam::123456789012:user/bob'], aws_account_ids: ['123456789012'] },
  ],
  [
    'aws_arn',
    'arn:aws:ec2:eu-west-1:123456789012:instance/i-0abc',
    {
      aws_arns: ['arn:aws:ec2:eu-west-1:123456789012:instance/i-0abc'],
      aws_account_ids: ['123456789012'],
      aws_instance_ids: ['i-0abc'],
    },
  ],
  [
    'aws_arn',
    'arn:aws:sts::123456789012:assumed-role/Admin/bob@example.com',
    {
      aws_arns: ['arn:aws:sts::123456789012:assumed-role/Admin/bob@example.com'],
      aws_account_ids: ['123456789012'],
      emails: ['bob@example.com'],
    },
  ],
  ['aws_arn_only', 'arn:aws:iam::123456789012:user/bob', { aws_arns: ['arn:aws:iam::123456789012:user/bob'] }],
  ['aws_arn', 'not:an:arn', {}],
  ['aws_account_id', '12345678901', {}],
  ['aws_instance_id', 'i-0abc', { aws_instance_ids: ['i-0abc'] }],
  ['aws_tag', 'env:prod', { aws_tags: ['env:prod'] }],
  ['trace_id', 'C1', { trace_ids: ['C1'] }],
])('%s takes from %s', (name, value, expected) => {
  expect(found(name, value)).toEqual(expected)
})

test('each value is kept once, in the order first seen, even in long lists', () => {
  const many = Array.from({ length: 200 }, (_, i) => `u${i % 50}`)
  expect(found('username', ...many)).toEqual({ usernames: Array.from({ length: 50 }, (_, i) => `u${i}`) })
})

test('addresses are those that node:net accepts, without zones', () => {
  const octet = fc.oneof(fc.nat(300).map(String), fc.constantFrom('', '00', '1a', '-1'))
  const text = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.array(octet, { minLength: 3, maxLength: 5 }).map((parts) => parts.join('.')),
    fc.string(),
  )
  fc.assert(
    fc.property(text, (value) => {
      expect(isIpv4(value)).toBe(isIP(value) === 4)
      expect(isIp(value)).toBe(isIP(value) !== 0 && !value.includes('%'))
    }),
    { seed: 4848, numRuns: fuzzRuns() },
  )
})

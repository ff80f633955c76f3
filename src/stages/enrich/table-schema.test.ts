import { describe, expect, test } from 'vitest'
import { compileTableSchema } from './table-schema.ts'

const file = '/content/schemas/x.yml'
const compile = (...fields: object[]) => compileTableSchema({ schema: 'Custom.X', fields }, { file })

describe('the field determines how keys are compared', () => {
  const cases: [field: object, match: string, automatic: string | undefined][] = [
    [{ type: 'string' }, 'exact', undefined],
    [{ type: 'string', indicators: ['ip'] }, 'ip', 'p_any_ip_addresses'],
    [{ type: 'string', validate: { ip: 'ipv4' } }, 'ip', undefined],
    [{ type: 'string', validate: { cidr: 'any' } }, 'cidr', undefined],
    [{ type: 'string', validate: { cidr: 'any' }, indicators: ['ip'] }, 'cidr', 'p_any_ip_addresses'],
    [{ type: 'string', indicators: ['domain'] }, 'ignore_case', 'p_any_domain_names'],
    [{ type: 'string', indicators: ['sha256'] }, 'ignore_case', 'p_any_sha256_hashes'],
    [{ type: 'string', indicators: ['username'] }, 'exact', 'p_any_usernames'],
    [{ type: 'bigint' }, 'exact', undefined],
  ]
  test.each(cases)('%j is compared as %s and joined on %s', (field, match, automatic) => {
    const schema = compile({ name: 'k', ...field })
    expect([schema.matchOf('k'), schema.automaticOf('k')]).toEqual([match, automatic])
  })
})

describe('text values are converted to the types of the schema', () => {
  const cases: [type: string, text: string, value: unknown][] = [
    ['int', '42', 42],
    ['bigint', '9007199254740993', 9007199254740993n],
    ['ubigint', '18446744073709551615', 18446744073709551615n],
    ['float', '1.5', 1.5],
    ['boolean', 'TRUE', true],
    ['boolean', 'no', undefined],
    ['int', '1.5', undefined],
    ['float', 'x', undefined],
    ['array', '["a"]', ['a']],
    ['array', 'a', undefined],
    ['json', 'a', 'a'],
    ['json', '{"a":9007199254740993}', { a: 9007199254740993n }],
    ['json', '['.repeat(10_000), undefined],
    ['array', `${'['.repeat(33)}${']'.repeat(33)}`, undefined],
    ['string', '42', '42'],
  ]
  test.each(cases)('%s from %s', (type, text, value) => {
    const shaped = compile({ name: 'v', type }).shape({ v: text }, true)
    if (value === undefined) expect(shaped).toMatch(/its 'v' is no/)
    else expect(shaped).toEqual({ v: value })
  })

  test('an empty cell of another type is left out, and a required one makes the row unusable', () => {
    expect(compile({ name: 'v', type: 'int' }).shape({ v: '', w: '' }, true)).toEqual({ w: '' })
    expect(compile({ name: 'v', type: 'int', required: true }).shape({ v: '' }, true)).toBe("it has no 'v'")
  })

  test('a field named like a prototype is only found where the row has it', () => {
    expect(compile({ name: 'constructor', type: 'string', required: true }).shape({ a: '1' }, false)).toBe(
      "it has no 'constructor'",
    )
  })
})

test('indicators are collected from nested fields and lists, validated and without duplicates', () => {
  const schema = compile(
    { name: 'ip', type: 'string', indicators: ['ip'] },
    { name: 'who', type: 'object', fields: [{ name: 'mail', type: 'string', indicators: ['email'] }] },
    { name: 'hosts', type: 'array', element: { type: 'string', indicators: ['hostname'] } },
    { name: 'link', type: 'string', indicators: ['url'] },
    { name: 'md5', type: 'string', indicators: ['md5'] },
    { name: 'peer', type: 'string', indicators: ['net_addr'] },
    { name: 'arn', type: 'string', indicators: ['aws_arn'] },
  )
  const row = {
    ip: '10.0.0.0/8',
    who: { mail: 'a@example.com' },
    hosts: ['example.com', '192.0.2.1', 'example.com', 7],
    link: 'https://[2001:db8::1]:8443/x',
    md5: 'D41D8CD98F00B204E9800998ECF8427E',
    peer: '192.0.2.2:22',
    arn: 'arn:aws:iam::123456789012:user/x',
  }
  expect(schema.indicators(row)).toEqual({
    p_any_emails: ['a@example.com'],
    p_any_domain_names: ['example.com', '7'],
    p_any_ip_addresses: ['192.0.2.1', '2001:db8::1', '192.0.2.2'],
    p_any_md5_hashes: ['d41d8cd98f00b204e9800998ecf8427e'],
    p_any_aws_arns: ['arn:aws:iam::123456789012:user/x'],
    p_any_aws_account_ids: ['123456789012'],
  })
})

test.each([
  ['no fields', { schema: 'X', fields: [] }, /x\.yml at fields/],
  ['no name', { schema: 'X', fields: [{ type: 'string' }] }, /x\.yml at fields\.0/],
  [
    'rows that expire twice',
    { schema: 'X', fields: ['a', 'b'].map((name) => ({ name, type: 'timestamp', isExpiration: true })) },
    /x\.yml.*'a' and 'b' are both marked isExpiration/,
  ],
])('refused: %s', (_, document, message) => {
  expect(() => compileTableSchema(document, { file })).toThrow(message)
})

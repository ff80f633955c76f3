import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Detector } from '../language.ts'
import { python } from './index.ts'
import { makeRule, makeTest } from './rule.fixture.ts'

const RULE = makeRule(
  'R',
  `
  import json
  import pycountry
  from policyuniverse.action_categories import categories_for_actions
  from policyuniverse.expander_minimizer import expand_policy, minimize_statement_actions
  from policyuniverse.policy import Policy

  def allow(**parts):
      return {'Statement': [{'Effect': 'Allow', 'Action': 's3:GetObject', 'Resource': '*', **parts}]}

  def summary(*actions):
      found = Policy(expand_policy(allow(Action=list(actions)))).action_summary()
      return {service: sorted(levels) for service, levels in sorted(found.items())}

  def is_open(**parts):
      return Policy(allow(**parts)).is_internet_accessible()

  def minimal(**parts):
      return sorted(minimize_statement_actions(allow(**parts)['Statement'][0]))

  def rule(event): return True
  def title(event): return json.dumps(eval(event['do']))
`,
)

let detector: Detector
beforeAll(async () => {
  detector = await python.create({ rules: [RULE], helpers: [] }, { timeoutMs: 5000, all: false })
})
afterAll(() => detector.close())

const OWN = 'arn:aws:iam::123456789012:root'

test.each<[string, unknown]>([
  // Access levels by the documentation of each service.
  ["summary('kms:DescribeKey')", { kms: ['Read'] }],
  ["summary('kms:PutKeyPolicy', 'kms:CreateGrant', 'kms:Encrypt')", { kms: ['Permissions', 'Write'] }],
  ["summary('ec2:DescribeVpcs')", { ec2: ['List'] }],
  ["summary('ec2:CreateTags')", { ec2: ['Tagging'] }],
  ["summary('s3:PutBucketTagging', 's3:PutBucketAcl', 's3:DeleteObject')", { s3: ['Permissions', 'Tagging', 'Write'] }],
  ["summary('s3:GetBucketTagging', 's3:ListBucket', 's3:GetBucketPolicy')", { s3: ['List', 'Read'] }],
  ["summary('ec2:CreateNetworkAcl', 'ec2:DeleteSecurityGroup')", { ec2: ['Write'] }],
  ["summary('iam:AttachUserPolicy')", { iam: ['Permissions'] }],
  ["summary('iam:*')", { iam: ['List', 'Permissions', 'Read', 'Tagging', 'Write'] }],
  ["summary('iam:Get*', 'iam:List*')", { iam: ['List', 'Read'] }],
  ["summary('sqs:SendMessage')", { sqs: ['Write'] }],
  ["'iam' in summary('*') and summary('*')['iam'] == summary('iam:*')['iam']", true],
  ["'iam' in Policy(expand_policy({'Statement': {'Effect': 'Allow', 'NotAction': 's3:*'}})).action_summary()", true],
  ["'s3' in Policy(expand_policy({'Statement': {'Effect': 'Allow', 'NotAction': 's3:*'}})).action_summary()", false],
  ["Policy({'Statement': [{'Effect': 'Deny', 'Action': '*'}]}).action_summary()", {}],
  ["sorted(categories_for_actions({'ec2:createvpc'})['ec2'])", ['Write']],
  ["sorted(categories_for_actions([])['ec2'])", []],
  // Wildcards name the actions on networks that they stand for.
  ["'ec2:createvpc' in expand_policy(allow(Action='ec2:*'))['Statement'][0]['Action']", true],
  ["'ec2:createvpc' in expand_policy(allow(Action='ec2:Create?pc'))['Statement'][0]['Action']", true],
  ["'ec2:createvpc' in expand_policy(allow(Action='ec2:Describe*'))['Statement'][0]['Action']", false],
  ["minimal(Action=['s3:*', 's3:GetObject', 'sqs:*'])", ['s3:*', 'sqs:*']],
  ["minimal(Action=['s3:Get*', 's3:GetObject'])", ['s3:get*']],
  ["'s3:*' in minimal(Action=None, NotAction='iam:*')", true],
  ["'s3:*' in minimal(Action=None, NotAction='s3:DeleteBucket')", false],
  // Who may call.
  ["is_open(Principal='*')", true],
  ["is_open(Principal={'AWS': '*'})", true],
  [`is_open(Principal={'AWS': ['${OWN}', '*']})`, true],
  [`is_open(Principal={'AWS': '${OWN}'})`, false],
  ["is_open(Principal={'AWS': '123456789012'})", false],
  ["is_open(Principal={'Service': 'lambda.amazonaws.com'})", false],
  [`is_open(NotPrincipal={'AWS': '${OWN}'})`, true],
  ['is_open()', false],
  ["is_open(Effect='Deny', Principal='*')", false],
  ["is_open(Principal='*', Condition={'StringEquals': {'aws:PrincipalOrgID': 'o-1'}})", false],
  ["is_open(Principal='*', Condition={'StringLike': {'aws:SourceAccount': ['1', '*']}})", true],
  ["is_open(Principal='*', Condition={'IpAddress': {'aws:SourceIp': '0.0.0.0/0'}})", true],
  ["is_open(Principal='*', Condition={'IpAddress': {'aws:SourceIp': '192.0.2.0/24'}})", false],
  [`is_open(Principal='*', Condition={'ArnLike': {'aws:SourceArn': '*'}, 'StringEquals': {'AWS:SourceAccount': '1'}})`, false],
  ["is_open(Principal='*', Condition={'ArnLike': {'aws:SourceArn': 'arn:aws:s3:::bucket'}})", false],
  ["is_open(Principal='*', Condition={'Bool': {'aws:SecureTransport': 'true'}})", true],
  ["sorted(Policy(allow(Principal={'AWS': ['a'], 'Service': 'b'})).statements[0].principals)", ['a', 'b']],
  ["Policy(allow(NotPrincipal='x')).statements[0].uses_not_principal()", true],
  ["sorted(Policy(allow(Action=['S3:Get', 's3:get'])).statements[0].actions)", ['s3:get']],
  // Countries.
  ["pycountry.countries.get(alpha_2='ru').name", 'Russian Federation'],
  ["pycountry.countries.get(alpha_3='DEU').alpha_2", 'DE'],
  ["pycountry.countries.get(alpha_2='XX')", null],
  ["pycountry.countries.lookup('france').alpha_2", 'FR'],
  ['len(pycountry.countries)', 249],
])('%s is %j', async (expression, expected) => {
  const run = await detector.test('R', makeTest({ do: expression }))
  expect(run.errors).toEqual({})
  expect(JSON.parse(JSON.parse(run.out['title']!) as string)).toEqual(expected)
})

test('a policy that is part of an event is read as it is', async () => {
  const log = { policy: { Statement: [{ Effect: 'Allow', Principal: '*', Action: ['s3:*'], Condition: {} }] } }
  const run = await detector.test('R', makeTest({ ...log, do: "Policy(event['policy']).is_internet_accessible()" }))
  expect(run.out['title']).toBe('"true"')
})

test('every country is known to the host by the same two letters', async () => {
  const run = await detector.test('R', makeTest({ do: '[[c.alpha_2, c.alpha_3] for c in pycountry.countries]' }))
  const codes = JSON.parse(JSON.parse(run.out['title']!) as string) as [string, string][]
  const names = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' })
  expect(codes.filter(([code]) => names.of(code) === undefined)).toEqual([])
  expect(new Set(codes.map(([, code]) => code)).size).toBe(249)
  expect(codes.filter(([, code]) => !/^[A-Z]{3}$/.test(code))).toEqual([])
})

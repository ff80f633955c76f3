import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Detector } from '../../language.ts'
import { python } from '../index.ts'
import { makeRule, makeTest } from '../rule.fixture.ts'

const RULE = makeRule(
  'R',
  `
  import json
  import policyuniverse
  import pycountry
  from policyuniverse import all_permissions
  from policyuniverse.action_categories import actions_for_category, categories_for_actions
  from policyuniverse.expander_minimizer import expand_minimize_over_policies, expand_policy, minimize_statement_actions
  from policyuniverse.policy import Policy

  def allow(**parts):
      return {'Statement': [{'Effect': 'Allow', 'Action': 's3:GetObject', 'Resource': '*', **parts}]}

  def summary(*actions):
      found = Policy(expand_policy(allow(Action=list(actions)))).action_summary()
      return {service: sorted(levels) for service, levels in sorted(found.items())}

  def is_open(**parts):
      return Policy(allow(**parts)).is_internet_accessible()

  def minimal(**parts):
      return minimize_statement_actions(allow(**parts)['Statement'][0])

  def expand(**parts):
      return expand_policy(allow(**parts))['Statement'][0]['Action']

  def statement(**parts):
      return Policy(allow(**parts)).statements[0]

  def who(**parts):
      return sorted(Policy(allow(**parts)).whos_allowed())

  def raised(call):
      try:
          return call()
      except Exception as error:
          return f'{type(error).__name__}: {error}'

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
  // Access levels according to the documentation of each service.
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
  ["summary('*')['iam'] == summary('iam:*')['iam'] and len(summary('*'))", 368],
  [
    "summary('glue:*', 'account:*')",
    { account: ['List', 'Read', 'Write'], glue: ['List', 'Permissions', 'Read', 'Tagging', 'Write'] },
  ],
  ["summary('nosuchservice:*')", { nosuchservice: [null] }],
  ["'s3' in Policy(expand_policy({'Statement': {'Effect': 'Allow', 'NotAction': 's3:*'}})).action_summary()", false],
  [
    "sorted(statement(Action=None, NotAction=['iam:*', 's3:*List*']).action_summary()['s3'])",
    ['Permissions', 'Read', 'Tagging', 'Write'],
  ],
  ["'iam' in statement(Action=None, NotAction=['iam:*', 's3:*List*']).action_summary()", false],
  [
    "sorted(Policy({'Statement': [{'Effect': 'Deny', 'Action': 'sns:*'}]}).action_summary()['sns'])",
    ['List', 'Permissions', 'Read', 'Tagging', 'Write'],
  ],
  ["sorted(categories_for_actions({'ec2:createvpc'})['ec2'])", ['Write']],
  ["sorted(categories_for_actions([])['ec2'])", []],
  ["list(categories_for_actions(['s3:*', 'S3:GetObject', 's3:getnothing']).items()) == [('s3', {None}), ('S3', {None})]", true],
  // Levels that do not follow from the name.
  ["summary('rds:DescribeDBInstances')", { rds: ['List'] }],
  ["summary('tag:GetResources', 'backup-storage:MountCapsule')", { 'backup-storage': ['Write'], tag: ['Read'] }],
  ["summary('ec2:DescribeVpcAttribute', 'ec2:CreateNetworkInterfacePermission')", { ec2: ['List', 'Permissions'] }],
  // Wildcards expand to the actions that they match.
  ["[len(expand(Action=action)) for action in ('iam:*', 's3:*', 'ec2:*')]", [171, 130, 609]],
  ["expand(Action=['iam:Get*Summary', 'sts:Tag*', 'IAM:GetRole'])", ['iam:getaccountsummary', 'iam:getrole', 'sts:tagsession']],
  ["expand(Action='ec2:Create?pc')", ['ec2:create?pc']],
  ["expand(Action='ec2:Create?p*Connection')", ['ec2:createvpcpeeringconnection', 'ec2:createvpnconnection']],
  ["'ec2:createvpc' in expand(Action='ec2:Describe*')", false],
  ["expand_policy({'Statement': {'Effect': 'Deny', 'Action': 'iam:*'}})", { Statement: [{ Effect: 'Deny', Action: 'iam:*' }] }],
  ["policyuniverse.expand_policy(allow(Action='sns:*')) == expand_policy(allow(Action='sns:*'))", true],
  ["expand_minimize_over_policies({'rolepolicies': {'p': {}}}, lambda policy, n: n, n=3)", { rolepolicies: { p: 3 } }],
  ["minimal(Action=['s3:*', 's3:GetObject', 'sqs:*'])", ['s3:*', 'sqs:*']],
  ["minimal(Action=['s3:Get*', 's3:GetObject'])", ['s3:g*']],
  ["minimize_statement_actions(allow(Action=['s3:Get*'])['Statement'][0], minchars=3)", ['s3:get*']],
  ["minimal(Action=['sqs:SendMessage', 'glue:*'])", ['glue:*', 'sqs:sen*']],
  ["len(minimal(Action='*')), '*' in minimal(Action='*'), 's3:*' in minimal(Action='*')", [368, false, true]],
  [
    "'iam:getuser' in all_permissions, 'iam:getnothing' in all_permissions, 'nosuch:get' in all_permissions",
    [true, false, false],
  ],
  // Principals.
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
  [`is_open(Principal='*', Condition={'ArnLike': {'aws:SourceArn': '*'}, 'StringEquals': {'AWS:SourceAccount': '1'}})`, true],
  ["is_open(Principal='*', Condition={'StringLike': {'aws:userid': 'AROAI*:*'}})", true],
  ["is_open(Principal='*', Condition={'StringLike': {'aws:userid': 'AROAI:*'}})", false],
  [
    "is_open(Principal='*', Condition={'ArnLike': {'aws:sourcearn': 'arn:aws:s3:::x*'}, 'IpAddress': {'aws:SourceIp': '0.0.0.0/0'}})",
    true,
  ],
  ["is_open(Principal='*', Condition={'StringLike': {'aws:PrincipalOrgPaths': 'o-*/r-1/*'}})", true],
  ["is_open(Principal='*', Condition={'StringNotLike': {'aws:SourceVpc': 'vpc-1'}})", true],
  [`is_open(NotPrincipal={'AWS': '${OWN}'}, Condition={'StringEquals': {'aws:SourceVpce': 'vpce-1'}})`, false],
  ["is_open(Principal={'AWS': 'arn:aws:sns:us-east-1:*:t'})", true],
  ["is_open(Principal='*', Condition={'ArnLike': {'aws:SourceArn': 'arn:aws:s3:::bucket'}})", false],
  ["is_open(Principal='*', Condition={'Bool': {'aws:SecureTransport': 'true'}})", true],
  ["sorted(Policy(allow(Principal={'AWS': ['a'], 'Service': 'b'})).statements[0].principals)", ['a', 'b']],
  ["Policy(allow(NotPrincipal='x')).statements[0].uses_not_principal()", true],
  ["sorted(Policy(allow(Action=['S3:Get', 's3:get'])).statements[0].actions)", ['S3:Get', 's3:get']],
  [
    "who(Principal={'AWS': 'a', 'Federated': 'f', 'CanonicalUser': 'c'}, Condition={'ArnLike': {'aws:PrincipalArn': ['x', 'y']}})",
    [
      ['arn', 'x'],
      ['arn', 'y'],
      ['principal', 'a'],
      ['principal', 'f'],
    ],
  ],
  ["who(Effect='Deny', Principal='a')", []],
  ["sorted(Policy(allow(Effect='Deny', Principal='a')).principals)", ['a']],
  [
    "[list(e) for e in Policy(allow(Effect='Deny', Condition={'StringLike': {'saml:aud': 'x'}})).condition_entries]",
    [['saml-endpoint', 'x']],
  ],
  ["sorted(statement(Condition={'ForAnyValue:StringLike': {'aws:PrincipalOrgPaths': 'o-1/r-2/'}}).condition_orgids)", ['o-1']],
  ["list(statement(NotResource='x').resources)", ['*']],
  // Countries.
  ["pycountry.countries.get(alpha_2='ru').name", 'Russian Federation'],
  ["pycountry.countries.get(alpha_3='DEU').alpha_2", 'DE'],
  ["pycountry.countries.get(alpha_2='XX')", null],
  ["pycountry.countries.lookup('france').alpha_2", 'FR'],
  ['len(pycountry.countries)', 249],
  ["pycountry.countries.get(numeric='276').name, pycountry.countries.get(flag='🇩🇪').alpha_2", ['Germany', 'DE']],
  ["pycountry.countries.get(common_name='Bolivia').name", 'Bolivia, Plurinational State of'],
  ["raised(lambda: pycountry.countries.lookup('nowhere'))", "LookupError: Could not find a record for 'nowhere'"],
  ["raised(lambda: pycountry.countries.get(colour='red'))", "KeyError: 'colour'"],
  [
    "raised(lambda: getattr(pycountry.countries.get(alpha_2='DE'), 'official_name', 'x'))",
    expect.stringMatching('^NotImplementedError: pycountry: official names of countries are not available to rules: there are'),
  ],
  ["raised(lambda: pycountry.countries.lookup('French Republic'))", expect.stringMatching('^NotImplementedError: pycountry')],
  [
    "raised(lambda: pycountry.countries.search_fuzzy('Germ'))",
    expect.stringMatching("^NotImplementedError: pycountry: the search for 'Germ'"),
  ],
  [
    "raised(lambda: pycountry.subdivisions.get(code='DE-BY'))",
    expect.stringMatching("^NotImplementedError: .* table 'subdivisions' is not"),
  ],
])('%s is %j', async (expression, expected) => {
  const run = await detector.test('R', makeTest({ do: expression }))
  expect(run.errors).toEqual({})
  expect(JSON.parse(JSON.parse(run.out['title']!) as string)).toEqual(expected)
})

test.each([
  ["expand(Action='glue:*')[0]", "which actions 'glue:*' stands for"],
  ["len(expand(Action=['sns:*', '*']))", "which actions 'sns:*, *' stands for"],
  ["'iam:getuser' in expand(Action=None, NotAction='s3:*')", "which actions 'all but s3:*' stands for"],
  ["list(statement(Action='glue:Get*').actions_expanded)", "which actions 'glue:Get*' stands for"],
  ["statement(Action='glue:Get*').action_summary()", "which actions 'glue:Get*' stands for"],
  ["[s.actions for s in Policy(expand_policy(allow(Action='*'))).statements]", "which actions '*' stands for"],
  ["minimal(Action=['glue:Get*'])", "which actions 'glue:get*' stands for"],
  ["minimal(Action=['glue:GetJob'])", "the shortest form of 'glue:getjob'"],
  ["'glue:getjob' in all_permissions", "whether 'glue:getjob' is an action"],
  ['len(all_permissions)', 'how many actions there are'],
  ["actions_for_category('Write')", "which actions have the level 'Write'"],
])('%s is an error that names the unknown item', async (expression, what) => {
  const run = await detector.test('R', makeTest({ do: `raised(lambda: ${expression})` }))
  expect(JSON.parse(JSON.parse(run.out['title']!) as string)).toMatch(
    new RegExp(
      `^ActionsUnknown: policyuniverse: ${what.replaceAll(/[*?]/g, '.')} cannot be answered here, .*: name the actions of`,
    ),
  )
})

test('a policy in an event is read without conversion', async () => {
  const log = { policy: { Statement: [{ Effect: 'Allow', Principal: '*', Action: ['s3:*'], Condition: {} }] } }
  const run = await detector.test('R', makeTest({ ...log, do: "Policy(event['policy']).is_internet_accessible()" }))
  expect(run.out['title']).toBe('"true"')
})

test('the host knows every country by the same two letters', async () => {
  const run = await detector.test('R', makeTest({ do: '[[c.alpha_2, c.alpha_3] for c in pycountry.countries]' }))
  const codes = JSON.parse(JSON.parse(run.out['title']!) as string) as [string, string][]
  const names = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' })
  expect(codes.filter(([code]) => names.of(code) === undefined)).toEqual([])
  expect(new Set(codes.map(([, code]) => code)).size).toBe(249)
  expect(codes.filter(([, code]) => !/^[A-Z]{3}$/.test(code))).toEqual([])
})

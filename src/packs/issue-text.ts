import type { z } from 'zod'

const NOUNS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a block of keys',
  record: 'a block of keys',
  null: 'empty',
}
const FORMATS: Readonly<Record<string, string>> = {
  url: 'a URL, as in https://example.com/list.csv',
  date: 'a date, as in 2024-04-19',
}

/** What a value must be, according to a schema's issue with it. A message that the schema itself has is kept. */
export function issueText(issue: z.core.$ZodIssue): string {
  const what = /^(?:Invalid|Too) /.test(issue.message) ? requirementOf(issue) : undefined
  return what === undefined ? issue.message : `must ${what}`
}

/** The words that a value could have been. */
export function wordsOf(issue: z.core.$ZodIssue): string[] {
  if (issue.code === 'invalid_value') return issue.values.map(String)
  if (issue.code !== 'invalid_union') return []
  return issue.errors.length > 0 ? branchesOf(issue).flatMap(wordsOf) : optionsOf(issue)
}

function requirementOf(issue: z.core.$ZodIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return NOUNS[issue.expected] && `be ${NOUNS[issue.expected]}`
    case 'invalid_format':
      return FORMATS[issue.format] && `be ${FORMATS[issue.format]}`
    case 'invalid_value':
      return `be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map(String).join(', ')}`
    case 'too_small':
      return limit(issue.origin, 'at least', Number(issue.minimum))
    case 'too_big':
      return limit(issue.origin, 'at most', Number(issue.maximum))
    case 'invalid_union':
      return issue.errors.length > 0 ? alternatives(branchesOf(issue)) : `be one of ${optionsOf(issue).join(', ')}`
    default:
      return undefined
  }
}

function limit(origin: string, how: string, n: number): string | undefined {
  if (origin === 'number' || origin === 'int') return `be ${how} ${n}`
  const noun = { string: 'character', array: 'entry' }[origin]
  if (noun === undefined) return undefined
  return n === 1 ? `have ${how} one ${noun}` : `have ${how} ${n} ${noun === 'entry' ? 'entries' : 'characters'}`
}

/** The first issue of each alternative with the value as a whole. */
function branchesOf({ errors }: z.core.$ZodIssueInvalidUnion): z.core.$ZodIssue[] {
  return errors.flatMap(([first]) => (first && first.path.length === 0 ? [first] : []))
}

function alternatives(branches: readonly z.core.$ZodIssue[]): string | undefined {
  const all = new Set(branches.map(requirementOf))
  if (all.size === 0 || all.has(undefined)) return undefined
  return [...all].map((what, at) => (at === 0 ? what : what!.replace(/^be /, ''))).join(', or ')
}

function optionsOf(issue: z.core.$ZodIssueInvalidUnion): string[] {
  const { options } = issue as unknown as { readonly options?: readonly unknown[] }
  return options?.map(String) ?? []
}

import type { DeliveryKind } from '../../model/outgoing-alert.ts'
import type { Severity } from '../../model/rule.ts'
import { summaryLine } from '../../model/summary.ts'
import { printable } from '../../util/terminal.ts'
import type { Delivery } from './destination.ts'

/** What a person should read about an alert, before a destination puts it into its own form. Safe to show as plain text. */
export interface AlertText {
  readonly severity: Severity
  /** One line: what happened to it, severity and title. */
  readonly headline: string
  readonly facts: readonly (readonly [label: string, value: string])[]
  readonly description: string
  readonly runbook: string
  /** An http or https URL of at most 2,000 characters, none of which has a meaning in Markdown or in the markup of Jira. */
  readonly reference: string | undefined
  readonly link: string
}

/** Indicator fields that people are shown, with their names, most useful first. */
const INDICATORS: Readonly<Record<string, string>> = {
  p_any_usernames: 'Users',
  p_any_emails: 'E-mail addresses',
  p_any_actor_ids: 'Actors',
  p_any_ip_addresses: 'IP addresses',
  p_any_domain_names: 'Domains',
  p_any_aws_account_ids: 'AWS accounts',
  p_any_aws_arns: 'ARNs',
  p_any_sha256_hashes: 'SHA-256',
  p_any_sha1_hashes: 'SHA-1',
  p_any_md5_hashes: 'MD5',
}
/** Values shown per indicator field. */
const TOP = 5
/** Summary attributes shown that are not indicators, and the length of their names. */
const MAX_SUMMARIES = 5
const MAX_ATTRIBUTE = 60
const MAX_HEADLINE = 500
const MAX_FACT = 500
const MAX_PART = 8000
/** Percent-encoded. It is dropped if it is longer, because half an address leads elsewhere. */
const MAX_REFERENCE = 2000

const WORDS: Readonly<Record<DeliveryKind, string>> = {
  opened: '',
  updated: 'Updated: ',
  resolved: 'Resolved: ',
  changed: 'Changed: ',
  test: '',
  digest: '',
}

/**
 * The alert in plain words. All of it may come from a log line: control characters become visible escapes, and addresses in it are
 * written so that programs do not make links of them.
 */
export function alertText({ kind, alert }: Pick<Delivery, 'kind' | 'alert'>): AlertText {
  const { severity, title, name, ruleId, tags, eventCount, firstEventTime, lastEventTime, logTypes, sourceLabels } = alert
  const { indicators, summaries = [] } = alert
  const counted = new Map(summaries.map((summary) => [summary.attribute, summaryLine(summary)]))
  const others = [...counted].filter(([attribute]) => !Object.hasOwn(INDICATORS, attribute)).slice(0, MAX_SUMMARIES)
  const times = firstEventTime === lastEventTime ? firstEventTime : `${firstEventTime} to ${lastEventTime}`
  const facts: [string, string][] = [
    ['Severity', severity],
    ['Rule', name === '' || name === ruleId ? ruleId : `${name} (${ruleId})`],
    ['Events', eventCount === 0 ? '' : `${eventCount}, ${times}`],
    ['Log types', logTypes.join(', ')],
    ['Sources', sourceLabels.join(', ')],
    ...Object.entries(INDICATORS).map(([field, label]): [string, string] => [
      label,
      counted.get(field) ?? topOf(indicators[field] ?? []),
    ]),
    ...others.map(([attribute, line]): [string, string] => [`Top ${shown(attribute, MAX_ATTRIBUTE)}`, line]),
    ['Tags', tags.join(', ')],
  ]
  return {
    severity,
    headline: shown(`${WORDS[kind]}${severity}: ${title}`, MAX_HEADLINE),
    facts: facts.filter(([, value]) => value !== '').map(([label, value]) => [label, shown(value, MAX_FACT)]),
    description: paragraphs(alert.description),
    runbook: paragraphs(alert.runbook),
    reference: webAddress(alert.reference),
    link: alert.link,
  }
}

/** The facts, description and runbook as lines of plain text. */
export function plainBody({ facts, description, runbook }: AlertText, maxChars: number): string {
  const parts = [
    facts.map(([label, value]) => `${label}: ${value}`).join('\n'),
    description,
    runbook === '' ? '' : `Runbook:\n${runbook}`,
  ]
  return cut(parts.filter((part) => part !== '').join('\n\n'), maxChars)
}

/** At most `maxChars` UTF-16 units, cut between characters and then marked with `…`. */
export function cut(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text
  return `${text.slice(0, maxChars - 1).replace(/[\ud800-\udbff]$/, '')}…`
}

/** At most `maxBytes` bytes of UTF-8, cut between characters and then marked with `…`. */
export function cutBytes(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text)
  if (bytes.length <= maxBytes) return text
  let end = maxBytes - 3
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--
  return `${bytes.subarray(0, end)}…`
}

/** A Markdown code block, in which nothing is a link, a mention or markup. */
export function fenced(text: string): string {
  return `\`\`\`\n${text.replace(/`{3,}/g, (run) => "'".repeat(run.length))}\n\`\`\``
}

/**
 * A text whose addresses nobody can click: `https://` becomes `hxxps://`, as people who share indicators write it, and `www.` becomes
 * `www[.]`. What stands before an address does not matter, because programs differ in where they let one begin.
 */
export function defanged(text: string): string {
  return text
    .replace(/(h)tt(ps?:\/\/)/gi, '$1xx$2')
    .replace(/(?<!hxxps?):\/\//gi, '[:]//')
    .replace(/(www)\./gi, '$1[.]')
    .replace(/(?<![a-z])(mailto|tel|javascript|data):/gi, '$1[:]')
}

/** True for a change of something that the receiver should already have. */
export function isFollowUp(kind: DeliveryKind): kind is Exclude<DeliveryKind, 'opened' | 'test' | 'digest'> {
  return kind === 'updated' || kind === 'resolved' || kind === 'changed'
}

/**
 * True for the end of something that the receiver never got by itself: the alert went in a digest, or could not be delivered. A ticket
 * created for it would stay open forever.
 */
export function isUnknownThere({ kind, reference }: Delivery): boolean {
  return kind === 'resolved' && reference === undefined
}

function topOf(values: readonly string[]): string {
  const more = values.length > TOP ? ` and ${values.length - TOP} more` : ''
  return values.length === 0 ? '' : values.slice(0, TOP).join(', ') + more
}

/** One line of plain text. */
export function shown(text: string, maxChars: number): string {
  return cut(defanged(printable(text.slice(0, 2 * maxChars).toWellFormed())), maxChars)
}

function paragraphs(text: string): string {
  // One more than is shown, so that the cut below sees that something is missing, and marks it.
  const lines = text
    .slice(0, MAX_PART + 1)
    .toWellFormed()
    .split(/\r\n|[\r\n]/)
  return cut(
    defanged(
      lines
        .map((line) => printable(line.replaceAll('\t', ' ')))
        .join('\n')
        .trim(),
    ),
    MAX_PART,
  )
}

/**
 * The same address with everything percent-encoded that some markup reads as its own, or `undefined` if people should not be given it as
 * a link. It may come from an event, since a rule can return it. A user name before the host would make the host look like another one.
 */
function webAddress(text: string): string | undefined {
  if (text.length > 1000 || !/^https?:\/\/\S+$/.test(text) || !URL.canParse(text)) return undefined
  const { protocol, username, password, host, pathname, search, hash } = new URL(text)
  if (username !== '' || password !== '' || !/^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d+)?$/.test(host)) return undefined
  const rest = `${pathname}${search}${hash}`.replace(/[^A-Za-z0-9/?#&=+$,;:.%-]/g, percentEncoded)
  const address = `${protocol}//${host}${rest}`
  return address.length > MAX_REFERENCE ? undefined : address
}

function percentEncoded(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
}

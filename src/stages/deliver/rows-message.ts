import { z } from 'zod'
import { ROWS_KIND, type RowsMail } from '../../model/rows-mail.ts'
import { csvHeader, csvRow, valuesOf } from '../../util/csv-cells.ts'
import { messageOf, Refused } from '../../util/errors.ts'
import { escaped, type MailContent, plain } from './mail-message.ts'
import { cut, shown } from './text.ts'

const MAX_SUBJECT = 200
const MAX_DESCRIPTION = 2000
/** Rows that the message itself shows, with this many columns and characters a value. */
const MAX_ROWS = 100
const MAX_COLUMNS = 40
const MAX_VALUE = 300
const MAX_TEXT = 60_000

const kept = z.object({
  version: z.literal(1),
  kind: z.literal(ROWS_KIND),
  mail: z.object({
    query: z.string(),
    description: z.string(),
    dueTime: z.string(),
    recipients: z.array(z.string()),
    columns: z.array(z.string()),
    rows: z.array(z.string()),
    total: z.number(),
    isTruncated: z.boolean(),
    isAttached: z.boolean(),
    link: z.string(),
  }),
})

/** The rows stored for a delivery of this kind. Throws `Refused` if they are no longer stored or cannot be read. */
export function readRowsMail(text: string): RowsMail {
  if (text === '')
    throw new Refused('the rows are no longer stored, because too many mails of the query waited: run the query again')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new Refused(`the rows stored for this delivery are not JSON: ${messageOf(error)}`, { cause: error })
  }
  const read = kept.safeParse(value)
  if (read.success) return read.data.mail
  throw new Refused('the rows stored for this delivery cannot be read: a newer version of Caracal may have written them')
}

/** A message with a file. */
export interface RowsContent extends Omit<MailContent, 'references'> {
  readonly attachments: readonly { readonly filename: string; readonly contentType: string; readonly content: string }[]
}

/** The message of a run's rows; the same on every attempt. */
export function rowsContent(id: string, mail: RowsMail, domain: string): RowsContent {
  const { query, description, dueTime, rows, total, isAttached, link } = mail
  const headline = `Query ${shown(query, MAX_SUBJECT)}: ${count(total)}`
  const about = [`Run of ${dueTime}, ${count(total)}.`, ...notesOf(mail)]
  const said = shown(description.replaceAll(/\s+/g, ' '), MAX_DESCRIPTION)
  const opening = [headline, '', ...about, ...(said === '' ? [] : ['', said])].join('\n')
  return {
    subject: cut(headline, MAX_SUBJECT),
    text: `${opening}\n\n${cut(asText(mail), MAX_TEXT)}\n\nSearches: ${link}\n`,
    html: htmlOf(mail, headline, about, said),
    messageId: `<${plain(id)}@${domain}>`,
    headers: { 'Auto-Submitted': 'auto-generated', 'Caracal-Delivery': plain(id) },
    attachments: isAttached
      ? [{ filename: fileName(query, dueTime), contentType: 'text/csv; charset=utf-8', content: csvOf(mail.columns, rows) }]
      : [],
  }
}

function count(rows: number): string {
  return rows === 1 ? '1 row' : `${rows} rows`
}

/** What is missing, and where. */
function notesOf({ rows, total, isTruncated, isAttached, columns }: RowsMail): string[] {
  const inText = Math.min(rows.length, MAX_ROWS)
  const where = isAttached ? `The attached file has ${rows.length === total ? 'all of them' : `the first ${rows.length}`}. ` : ''
  return [
    ...(inText < total || isAttached ? [`${where}This message shows ${inText === total ? 'all' : `the first ${inText}`}.`] : []),
    ...(rows.length < total ? ['The others are left out because the mail would be too large.'] : []),
    ...(columns.length > MAX_COLUMNS
      ? [`Only the first ${MAX_COLUMNS} of ${columns.length} columns are shown in this message.`]
      : []),
    ...(isTruncated ? ['The query has more rows than a run returns: narrow it.'] : []),
  ]
}

/** The cells that the message shows. Text of logs cannot format it, and no program makes a link of an address in it. */
function cells(row: string): string[] {
  return valuesOf(row)
    .slice(0, MAX_COLUMNS)
    .map((json) => (json === 'null' ? '' : shown(json.startsWith('"') ? (JSON.parse(json) as string) : json, MAX_VALUE)))
}

function headings({ columns }: RowsMail): string[] {
  return columns.slice(0, MAX_COLUMNS).map((name) => shown(name, MAX_VALUE))
}

/** A block of lines a row, which can be read without a fixed width. */
function asText(mail: RowsMail): string {
  const names = headings(mail)
  return mail.rows
    .slice(0, MAX_ROWS)
    .map((row) =>
      cells(row)
        .map((value, i) => `${names[i] ?? ''}: ${value}`)
        .join('\n'),
    )
    .join('\n\n')
}

function htmlOf(mail: RowsMail, headline: string, about: readonly string[], description: string): string {
  const line = (tag: string, values: readonly string[]) =>
    `<tr>${values.map((value) => `<${tag} align="left" valign="top">${escaped(value)}</${tag}>`).join('')}</tr>`
  const rows = mail.rows.slice(0, MAX_ROWS).map((row) => line('td', cells(row)))
  return [
    '<!DOCTYPE html><html><head><meta charset="utf-8"></head><body>',
    `<h3>${escaped(headline)}</h3>`,
    `<p>${about.map(escaped).join('<br>')}</p>`,
    description === '' ? '' : `<p>${escaped(description)}</p>`,
    rows.length === 0
      ? ''
      : `<table border="1" cellpadding="4" cellspacing="0">${line('th', headings(mail))}${rows.join('')}</table>`,
    `<p><a href="${escaped(mail.link)}">Searches</a></p>`,
    '</body></html>',
  ].join('\n')
}

/** The file for spreadsheets, in which no text of a log can be a formula. */
function csvOf(columns: readonly string[], rows: readonly string[]): string {
  return [csvHeader(columns, true), ...rows.map((row) => csvRow(row, true)), ''].join('\r\n')
}

function fileName(query: string, dueTime: string): string {
  const name = query.replaceAll(/[^A-Za-z0-9._-]+/g, '-').slice(0, 80)
  return `${name.replace(/^[.-]+/, '') || 'query'}-${dueTime.replaceAll(/[:.]/g, '-')}.csv`
}

import type { AlertText } from './text.ts'

/** A text with links below it: as a document of API version 3, or in the wiki markup of version 2. In both it is preformatted. */
export function jiraText(text: string, { link, reference }: Pick<AlertText, 'link' | 'reference'>, isCloud: boolean): unknown {
  if (!isCloud) {
    const safe = text.replaceAll('{', '(').replaceAll('}', ')')
    return `{noformat}\n${safe}\n{noformat}\n[Open the alert|${link}]${reference ? ` · [Reference|${reference}]` : ''}`
  }
  const linked = (label: string, href: string) => ({ type: 'text', text: label, marks: [{ type: 'link', attrs: { href } }] })
  const links = [
    linked('Open the alert', link),
    ...(reference ? [{ type: 'text', text: ' · ' }, linked('Reference', reference)] : []),
  ]
  return {
    type: 'doc',
    version: 1,
    content: [
      { type: 'codeBlock', content: [{ type: 'text', text }] },
      { type: 'paragraph', content: links },
    ],
  }
}

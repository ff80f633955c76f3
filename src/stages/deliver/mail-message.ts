import type { Delivery } from './destination.ts'
import { type AlertText, alertText, cut, plainBody } from './text.ts'

const MAX_SUBJECT = 200
const MAX_BODY = 60_000

/** What a message says, without its sender and recipients. */
export interface MailContent {
  readonly subject: string
  readonly text: string
  readonly html: string
  readonly messageId: string
  /** Id of the thread. No message has it, but every message of the alert refers to it, and mail programs join them by that. */
  readonly references: string
  readonly headers: Readonly<Record<string, string>>
}

/** The message of a delivery; the same on every attempt. `domain` makes its ids unique in the world. */
export function mailContent(delivery: Delivery, domain: string): MailContent {
  const text = alertText(delivery)
  const links = [`Open the alert: ${text.link}`, ...(text.reference ? [`Reference: ${text.reference}`] : [])]
  return {
    subject: cut(text.headline, MAX_SUBJECT),
    text: `${text.headline}\n\n${plainBody(text, MAX_BODY)}\n\n${links.join('\n')}\n`,
    html: htmlOf(text),
    messageId: `<${plain(delivery.id)}@${domain}>`,
    references: `<alert-${plain(delivery.alert.alertId)}@${domain}>`,
    headers: { 'Auto-Submitted': 'auto-generated', 'Caracal-Delivery': plain(delivery.id) },
  }
}

function htmlOf(text: AlertText): string {
  const rows = text.facts.map(([label, value]) => `<tr><th align="left">${escaped(label)}</th><td>${escaped(value)}</td></tr>`)
  const block = (body: string) => `<pre style="white-space: pre-wrap">${escaped(body)}</pre>`
  const link = (to: string, label: string) => `<p><a href="${escaped(to)}">${label}</a></p>`
  return [
    '<!DOCTYPE html><html><head><meta charset="utf-8"></head><body>',
    `<h3>${escaped(text.headline)}</h3>`,
    `<table cellpadding="4">${rows.join('')}</table>`,
    text.description === '' ? '' : block(text.description),
    text.runbook === '' ? '' : `<h4>Runbook</h4>${block(text.runbook)}`,
    link(text.link, 'Open the alert'),
    text.reference === undefined ? '' : link(text.reference, 'Reference'),
    '</body></html>',
  ].join('\n')
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Text in HTML. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (char) => ENTITIES[char]!)
}

/** What an id of a message may consist of. */
export function plain(id: string): string {
  return id.replace(/[^A-Za-z0-9._-]/g, '-')
}

import { html } from 'hono/html'
import type { Part } from '../layout.ts'

/** A sentence of the description, in which `words` between backticks are code. */
export function prose(text: string | undefined): Part {
  if (!text) return ''
  const parts = text.split('`').map((part, i) => (i % 2 === 1 ? html`<code>${part}</code>` : part))
  return html`<span class="prose">${parts}</span>`
}

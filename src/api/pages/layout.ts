import type { Context } from 'hono'
import { html } from 'hono/html'
import type { HtmlEscapedString } from 'hono/utils/html'
import type { ContentfulStatusCode } from 'hono/utils/http-status'

/** Part of a page, in which everything that was inserted is escaped. */
export type Part = HtmlEscapedString | Promise<HtmlEscapedString> | string

/** No scripts at all; forms only lead here. The style is a file of ours. */
const POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

/** A page that works without scripts. Links are relative, because a proxy may offer this server below a path; `root` leads from there to the top. */
export function page(c: Context, title: string, body: Part, status: ContentfulStatusCode = 200, root = '') {
  c.header('content-security-policy', POLICY)
  return c.html(
    html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} – Caracal</title>
<link rel="stylesheet" href="${root}sign-in.css">
</head>
<body>
<main>
<p class="brand">Caracal</p>
<h1>${title}</h1>
${body}
</main>
</body>
</html>
`,
    status,
  )
}

/** A labelled field of a form. */
export function field(label: string, name: string, attributes: Readonly<Record<string, string>> = {}) {
  const { type = 'text', value = '', autocomplete = 'off', hint = '', optional = '' } = attributes
  const required = optional ? '' : html` required`
  return html`<label>${label}<input name="${name}" type="${type}" value="${value}" autocomplete="${autocomplete}"${required}></label>${
    hint ? html`<p class="hint">${hint}</p>` : ''
  }`
}

/** A labelled choice of a form: values and what they are called. */
export function choice(label: string, name: string, options: Readonly<Record<string, string>>, chosen: string) {
  return html`<label>${label}<select name="${name}">${Object.entries(options).map(
    ([value, text]) => html`<option value="${value}"${value === chosen ? html` selected` : ''}>${text}</option>`,
  )}</select></label>`
}

export function alertBox(message: string | undefined, kind: 'error' | 'done' = 'error') {
  return message === undefined ? html`` : html`<p class="${kind}" role="alert">${message}</p>`
}

export const STYLE = `:root { color-scheme: light dark; --ink: #1b1f24; --dim: #5b6470; --line: #d5dae1; --page: #f4f5f7; --card: #fff; --accent: #b3541e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7eaee; --dim: #9aa4b0; --line: #353c46; --page: #14171b; --card: #1c2026; --accent: #e58a52; } }
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); }
main { max-width: 34rem; margin: 8vh auto 4rem; padding: 2rem; background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
.brand { margin: 0; color: var(--accent); font-weight: 700; letter-spacing: .04em; }
h1 { margin: .2rem 0 1.2rem; font-size: 1.5rem; }
h2 { margin: 2.2rem 0 .6rem; font-size: 1.1rem; border-top: 1px solid var(--line); padding-top: 1.4rem; }
label { display: block; margin: 0 0 1rem; font-weight: 600; font-size: .92rem; }
input, select { display: block; width: 100%; margin-top: .3rem; padding: .6rem .7rem; font: inherit; font-weight: 400; color: inherit; background: var(--page); border: 1px solid var(--line); border-radius: 8px; }
input:focus, select:focus, button:focus, a:focus { outline: 2px solid var(--accent); outline-offset: 2px; }
button, .button { display: inline-block; padding: .6rem 1.1rem; font: inherit; font-weight: 600; color: #fff; background: #9c4313; border: 0; border-radius: 8px; cursor: pointer; text-decoration: none; }
button.small { padding: .25rem .7rem; font-size: .85rem; color: var(--ink); background: transparent; border: 1px solid var(--line); }
.hint, .dim { color: var(--dim); font-size: .9rem; }
.hint { margin: -.7rem 0 1rem; }
.error, .done { padding: .7rem .9rem; border-radius: 8px; border: 1px solid; }
.error { color: #b42318; border-color: #b42318; }
.done { color: #1f7a3f; border-color: #1f7a3f; }
@media (prefers-color-scheme: dark) { .error { color: #ff9c8f; border-color: #ff9c8f; } .done { color: #7fd69b; border-color: #7fd69b; } }
.row { display: flex; gap: 1rem; justify-content: space-between; align-items: center; padding: .5rem 0; border-bottom: 1px solid var(--line); }
.row form { margin: 0; flex: none; }
.row > div { min-width: 0; overflow-wrap: anywhere; }
code span { display: inline-block; margin-right: 1ch; }
h3 { margin: 1.4rem 0 .6rem; font-size: 1rem; }
.error::first-letter { text-transform: uppercase; }
.actions { display: flex; gap: 1rem; align-items: center; }
.side { display: grid; gap: 0 1rem; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); }
.qr { width: 13rem; max-width: 100%; margin: 1rem auto; padding: .4rem; background: #fff; border: 1px solid var(--line); border-radius: 8px; }
.qr svg { display: block; width: 100%; }
a { color: var(--accent); }
a.button { color: #fff; }
@media (max-width: 40rem) { main { margin: 0 0 2rem; padding: 1.4rem 1.1rem; border-width: 0 0 1px; border-radius: 0; } }
code { display: block; padding: .7rem; word-break: break-all; background: var(--page); border: 1px solid var(--line); border-radius: 8px; }
`

import { html } from 'hono/html'
import type { Part } from '../layout.ts'
import { type Description, groupsOf } from './description.ts'
import { titleOf } from './groups.ts'
import { anchorOf, operationPart } from './operation-part.ts'

/** No scripts at all. The style is a file of ours. */
export const POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** Every operation on one page, so that the browser's own search finds everything. Links are relative: a proxy may offer it below a path. */
export function apiPage(description: Description): Part {
  const groups = [...groupsOf(description)].sort(([a], [b]) => titleOf(a).localeCompare(titleOf(b), 'en'))
  const count = groups.reduce((n, [, operations]) => n + operations.length, 0)
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The API – Caracal</title>
<link rel="stylesheet" href="docs.css">
</head>
<body>
<nav aria-label="Operations">
<p class="brand"><a href="../../">Caracal</a></p>
<details open><summary>Operations</summary>
${groups.map(
  ([group, operations]) => html`<details><summary>${titleOf(group)}</summary>
<ul>${operations.map(
    (one) =>
      html`<li><a href="#${anchorOf(one)}"><span class="method ${one.method.toLowerCase()}">${one.method}</span> ${one.path.replace('/api/v1', '')}</a></li>`,
  )}</ul></details>`,
)}
</details>
</nav>
<main>
<h1>The API</h1>
<p>${count} operations. The search of your browser finds everything on this page. The same for programs: <a href="openapi.json">openapi.json</a> (OpenAPI 3.1).</p>
<p>Calls need the header <code>Authorization: Bearer $TOKEN</code>, or the session of a person who is signed in. In the lines for the shell,
<code>CARACAL</code> is the address of this server and <code>TOKEN</code> a token. A failed call answers problem details with a stable
<code>code</code>. Lists take <code>limit</code> and <code>cursor</code>, and answer <code>results</code> and <code>next</code>. What changes something takes an <code>Idempotency-Key</code>.</p>
${groups.map(
  ([group, operations]) => html`<section aria-labelledby="group-${group}"><h2 id="group-${group}">${titleOf(group)}</h2>
${operations.map(operationPart)}</section>`,
)}
</main>
</body>
</html>
`
}

import { html } from 'hono/html'
import { OPERATIONS, PERMISSIONS, type Terms } from '../../access/operations.ts'
import type { Part } from '../layout.ts'
import type { NamedOperation, Parameter } from './description.ts'
import { prose } from './prose.ts'
import { curlOf, sampleOf } from './sample.ts'
import { schemaPart, typePart } from './schema-part.ts'

/** What those get who may only see some log types. */
const NARROWED: Readonly<Record<Terms['narrowed'], string>> = {
  seen: 'Who may only see some log types gets what concerns those.',
  all: 'It shows nothing about events, so limits to log types do not matter.',
  closed: 'Who may only see some log types is refused.',
}

/** Where an operation is on the page. */
export function anchorOf({ method, path }: Pick<NamedOperation, 'method' | 'path'>): string {
  return `${method}${path.replace('/api/v1', '').replaceAll(/[{}]/g, '').replaceAll('/', '-')}`.toLowerCase()
}

/** One operation with everything about it. */
export function operationPart(operation: NamedOperation): Part {
  const { method, path, summary, parameters = [], requestBody, responses } = operation
  const body = Object.entries(requestBody?.content ?? {})
  const failed = [...new Set([401, 403, ...Object.keys(responses).map(Number)])]
    .filter((status) => status >= 400)
    .sort((a, b) => a - b)
  return html`<section class="operation" id="${anchorOf(operation)}">
<h3><span class="method ${method.toLowerCase()}">${method}</span> <code>${path}</code></h3>
<p>${prose(summary)}</p>
<p class="dim">${termsOf(operation.name)}</p>
${parameters.length > 0 ? html`<h4>Parameters</h4><ul class="members">${parameters.map(parameterPart)}</ul>` : ''}
${body.map(
  ([type, { schema }]) => html`<h4>Body <span class="dim">${type}</span></h4>${schemaPart(schema)}
<pre tabindex="0">${JSON.stringify(sampleOf(schema), null, 2)}</pre>`,
)}
<h4>Call</h4>
<pre tabindex="0">${curlOf(operation)}</pre>
<h4>Answers</h4>
<ul class="members">${Object.entries(responses)
    .filter(([status]) => Number(status) < 400)
    .map(([status, answer]) => answerPart(status, answer))}
<li><b>${failed.join(', ')}</b> It failed. <span class="type">application/problem+json</span></li></ul>
</section>`
}

function answerPart(status: string, { description, content = {} }: NamedOperation['responses'][string]): Part {
  const [type, { schema } = {}] = Object.entries(content)[0] ?? []
  const members = schemaPart(schema)
  return html`<li><b>${status}</b> ${description} <span class="type">${type ?? 'no body'}</span>
${members && html`<details><summary>Members</summary>${members}</details>`}</li>`
}

function parameterPart({ name, in: where, required, description, schema }: Parameter): Part {
  return html`<li><code>${name}</code> <span class="dim">${where}</span> ${typePart(schema, required === true)}
${prose(description ?? schema?.description)}</li>`
}

/** Who may call it. */
function termsOf(name: string): Part {
  const terms = OPERATIONS[name]
  if (!terms) return 'Only administrators may call it.'
  if (terms.needs === 'nothing') return 'Anyone may call it: it is how callers become known.'
  return html`Needs <code>${terms.needs}</code>: ${PERMISSIONS[terms.needs].join(', ')}. ${NARROWED[terms.narrowed]}`
}

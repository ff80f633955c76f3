import type { JsonValue } from '../../../model/json.ts'
import { Refused } from '../../../util/errors.ts'
import { type HttpAnswer, shownUrl } from '../../../util/http/send.ts'
import { textAt, valueAt } from './json-path.ts'
import type { PageRequest } from './service.ts'
import type { StreamSpec } from './spec.ts'
import { filled, filledTree, type Span, timesOf } from './template.ts'

/** What says which page follows. */
export interface PageAnswer {
  readonly headers: HttpAnswer['headers']
  /** `undefined` if the answer is not one JSON value. */
  readonly value: JsonValue | undefined
  /** Number of its records. */
  readonly count: number
}

/** The request for a page of a window; `next` names the page, `undefined` the first one. */
export function requestOf(spec: StreamSpec, span: Span, next: string | undefined): PageRequest {
  const { paging, method, headers } = spec
  const times = timesOf(span, spec.window?.format ?? 'iso')
  const encoded = { since: encodeURIComponent(times.since), until: encodeURIComponent(times.until) }
  const first = filled(spec.url, encoded)
  const body = spec.body && (filledTree(spec.body, times) as Record<string, unknown>)
  const request = (url: string, sent = body): PageRequest =>
    sent === undefined
      ? { url, method, headers }
      : { url, method, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(sent) }
  switch (paging.type) {
    case 'none':
      return request(first)
    case 'link':
    case 'url':
      return request(next !== undefined && isSameOrigin(next, first) ? next : first)
    case 'page':
      return request(withParameter(first, paging.parameter, next ?? String(paging.first)))
    case 'cursor': {
      if (next === undefined) return request(first)
      const { parameter, in: where, replaces } = paging
      if (where === 'query') return request(withParameter(first, parameter, next, replaces))
      const kept = Object.entries(body ?? {}).filter(([name]) => !replaces.includes(name))
      return request(first, { ...Object.fromEntries(kept), [parameter]: next })
    }
  }
}

/**
 * Whether a stored page may be requested with the credentials. The configuration may have named another host, or another kind of paging, when
 * the page was stored: the window then begins again.
 */
function isSameOrigin(next: string, first: string): boolean {
  return URL.canParse(next) && new URL(next).origin === new URL(first).origin
}

/** What names the page after an answer; `undefined` if it is the last. Throws `Refused` if that is a page of another host. */
export function nextPage(spec: StreamSpec, asked: PageRequest, now: string | undefined, answer: PageAnswer): string | undefined {
  const { paging } = spec
  switch (paging.type) {
    case 'none':
      return undefined
    case 'link':
      return urlOf(linkIn(answer.headers.get('link')), asked)
    case 'url': {
      const { path, header } = paging
      const inBody = path === undefined || answer.value === undefined ? undefined : textAt(answer.value, path)
      return urlOf(inBody ?? (header === undefined ? undefined : answer.headers.get(header.toLowerCase())), asked)
    }
    case 'page':
      return answer.count < paging.size ? undefined : String(Number(now ?? paging.first) + 1)
    case 'cursor':
      return answer.value === undefined ? undefined : textAt(answer.value, paging.path)
  }
}

/** Whether there is another page now. */
export function hasMore({ paging }: StreamSpec, next: string | undefined, { value }: PageAnswer): boolean {
  if (next === undefined) return false
  if (paging.type !== 'cursor' || paging.more === undefined || value === undefined) return true
  return valueAt(value, paging.more) === true
}

/** A URL from an answer. Credentials are only sent to the host that the configuration names. Throws `Refused`. */
export function urlOf(text: string | undefined, { url }: PageRequest): string | undefined {
  if (text === undefined || text === '') return undefined
  if (!URL.canParse(text, url)) throw new Refused(`${shownUrl(url)} names a next page that is not a URL`)
  const next = new URL(text, url)
  if (next.origin !== new URL(url).origin || next.username !== '' || next.password !== '')
    throw new Refused(`${shownUrl(url)} names a page at ${next.protocol}//${next.host}: credentials are not sent to another host`)
  return next.href
}

/** The target of `rel="next"` in a Link header (RFC 8288). */
function linkIn(header: string | undefined): string | undefined {
  for (const [, target, parameters] of (header ?? '').matchAll(/<([^<>]*)>((?:\s*;\s*[\w*-]+=(?:"[^"]*"|[^\s",;]*))*)/g)) {
    const rel = /;\s*rel=(?:"([^"]*)"|([^\s",;]*))/i.exec(parameters!)
    if ((rel?.[1] ?? rel?.[2] ?? '').toLowerCase().split(/\s+/).includes('next')) return target
  }
  return undefined
}

/** The URL with a query parameter, in place of those with its name and other names. */
export function withParameter(url: string, name: string, value: string, without: readonly string[] = []): string {
  const at = url.includes('?') ? url.indexOf('?') : url.length
  const [place, query] = [url.slice(0, at), url.slice(at + 1)]
  const left = query.split('&').filter((part) => part !== '' && ![name, ...without].includes(nameOf(part)))
  return `${place}?${[...left, `${encodeURIComponent(name)}=${encodeURIComponent(value)}`].join('&')}`
}

function nameOf(part: string): string {
  const name = part.split('=', 1)[0]!
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

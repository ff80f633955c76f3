import { Hono, type MiddlewareHandler } from 'hono'
import type { Engine } from '../../engine/engine.ts'
import { personOf } from '../access/guard.ts'
import type { Description } from '../pages/api-docs/description.ts'
import { apiPage, POLICY } from '../pages/api-docs/page.ts'
import { STYLE } from '../pages/api-docs/style.ts'
import { goTo } from '../pages/form.ts'

/** A browser without a session is led to the page on which people sign in, and back. Others are refused as anywhere else. */
export function signInFirst(engine: Pick<Engine, 'tokens' | 'accounts' | 'audit' | 'config'>): MiddlewareHandler {
  return async (c, next) => {
    const isBrowser = c.req.header('authorization') === undefined && /\btext\/html\b/.test(c.req.header('accept') ?? '')
    if (isBrowser && !(await personOf(engine, c))) return goTo(c, '/../../sign-in?next=/api/v1/docs')
    return next()
  }
}

/** The page about the API, made from its description. */
export function docsPage(describe: () => Description): Hono {
  let page: string | undefined
  return new Hono()
    .get('/api/v1/docs', async (c) => {
      page ??= String(await apiPage(describe()))
      c.header('content-security-policy', POLICY)
      return c.html(page)
    })
    .get('/api/v1/docs.css', (c) => {
      c.header('content-type', 'text/css; charset=utf-8')
      return c.body(STYLE)
    })
}

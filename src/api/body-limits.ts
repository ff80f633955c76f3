import type { MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { isDeeper } from '../util/json-spans.ts'
import { ApiError } from './errors.ts'
import { MAX_BACKTEST_BYTES } from './routes/backtests.ts'

/** Largest body of an API call. */
const MAX_BODY_BYTES = 256 * 1024

/** Calls whose bodies contain whole content files. */
const CONTENT = /^\/api\/v1\/(?:backtests$|dashboards\b|rules\b|schemas\b|searches\b|tables\b)/

/** Deeper than any record may be (`max_depth`), with room for what surrounds it in a call; far less than what exhausts the stack. */
const MAX_BODY_DEPTH = 520

/** Refuses bodies that are too long, whether their headers say how long they are or not. */
export function limitBody(): MiddlewareHandler {
  const limit = (maxSize: number) =>
    bodyLimit({
      maxSize,
      onError: () => {
        throw new ApiError(413, 'too_large', `bodies of this API call are limited to ${maxSize} bytes`)
      },
    })
  const [usual, content] = [limit(MAX_BODY_BYTES), limit(MAX_BACKTEST_BYTES)]
  return (c, next) => (CONTENT.test(c.req.path) ? content : usual)(c, next)
}

/** Refuses bodies nested so deeply that walking through them or writing them again would exhaust the stack. */
export const requireShallow: MiddlewareHandler = async (c, next) => {
  if (c.req.method !== 'GET' && c.req.method !== 'HEAD' && isDeeper(await c.req.text(), MAX_BODY_DEPTH)) {
    const message = `the objects and arrays of the body are nested more than ${MAX_BODY_DEPTH} deep: send a body that is nested less`
    throw new ApiError(400, 'too_deep', message)
  }
  await next()
}

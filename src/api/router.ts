import { OpenAPIHono } from '@hono/zod-openapi'
import { z } from 'zod'
import { failures, refuseInvalid } from './errors.ts'
import { isKeyed } from './keyed-calls.ts'
import { idempotencyKey } from './once-only.ts'

const NO_PARAMETERS = z.strictObject({})

/**
 * An empty set of routes that rejects calls not matching their schema with an API error. A route without `query` takes no parameters, and one
 * that changes something takes an `Idempotency-Key`.
 */
export function createRouter(): OpenAPIHono {
  const router = new OpenAPIHono({ defaultHook: (result) => refuseInvalid(result) })
  const { openapi } = router
  router.openapi = ((route: Parameters<typeof openapi>[0], ...rest: [never]) => {
    const { headers } = route.request ?? {}
    const keyed = isKeyed(`${route.method.toUpperCase()} ${route.path}`)
      ? {
          request: { headers: headers instanceof z.ZodObject ? idempotencyKey.extend(headers.shape) : idempotencyKey },
          responses: failures(409, 422),
        }
      : undefined
    const request = { query: NO_PARAMETERS, ...route.request, ...keyed?.request }
    return openapi({ ...route, request, responses: { ...keyed?.responses, ...route.responses } }, ...rest)
  }) as typeof openapi
  return router
}

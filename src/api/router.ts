import { OpenAPIHono } from '@hono/zod-openapi'
import { refuseInvalid } from './errors.ts'

/** An empty set of routes that rejects calls not matching their schema with an API error. */
export function createRouter(): OpenAPIHono {
  return new OpenAPIHono({ defaultHook: (result) => refuseInvalid(result) })
}

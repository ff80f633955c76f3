import { OpenAPIHono } from '@hono/zod-openapi'
import { refuseInvalid } from './errors.ts'

/** An empty set of routes that refuses calls which do not fit their schema, in the API's words. */
export function createRouter(): OpenAPIHono {
  return new OpenAPIHono({ defaultHook: (result) => refuseInvalid(result) })
}

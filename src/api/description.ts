import type { OpenAPIHono } from '@hono/zod-openapi'

const TITLE = { openapi: '3.1.0', info: { title: 'Caracal', version: '1' } }

/** The API's description (OpenAPI 3.1). */
export function descriptionOf(app: Pick<OpenAPIHono, 'getOpenAPI31Document'>): object {
  // The library writes the flags of a regular expression as a part of it.
  const corrected = (key: string, value: unknown) =>
    key === 'pattern' && typeof value === 'string' ? value.replace(/(?<!\\)\/[a-z]+$/, '') : value
  return JSON.parse(JSON.stringify(app.getOpenAPI31Document(TITLE)), corrected) as object
}

import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import { alertOf, idParam } from '../alert-of.ts'
import { failures } from '../errors.ts'
import { createRouter } from '../router.ts'

const TAR = 'application/x-tar'

const bundle = createRoute({
  method: 'get',
  path: '/api/v1/alerts/{id}/bundle',
  summary: 'One file with which `caracal run --bundle` decides the alert again on another machine.',
  request: { params: idParam },
  responses: {
    200: {
      description: 'A tar archive: events, the rule with its code, rows of tables, and the SHA-256 of each part.',
      content: { [TAR]: { schema: z.string().openapi({ format: 'binary' }) } },
    },
    ...failures(400, 404, 503),
  },
})

export function alertBundleRoutes(engine: Engine) {
  return createRouter().openapi(bundle, async (c) => {
    const alert = await alertOf(engine, c.req.valid('param').id)
    const bytes = await engine.bundle(alert)
    return c.body(bytes as Uint8Array<ArrayBuffer>, 200, {
      'content-type': TAR,
      'content-disposition': `attachment; filename="caracal-alert-${alert.alertId}.tar"`,
    })
  })
}

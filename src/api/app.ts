import { resolve } from 'node:path'
import type { MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { methodNotAllowed } from 'hono/method-not-allowed'
import type { Engine } from '../engine/engine.ts'
import { type Log, processLog } from '../telemetry/log.ts'
import { audited } from './access/audited.ts'
import { requireCaller } from './access/guard.ts'
import { sighted } from './access/sight.ts'
import { requireHost, requireJson } from './auth.ts'
import { ApiError, answerError } from './errors.ts'
import { createRouter } from './router.ts'
import { alertBulkRoutes } from './routes/alert-bulk.ts'
import { alertBundleRoutes } from './routes/alert-bundle.ts'
import { alertMergeRoutes } from './routes/alert-merge.ts'
import { alertRelatedRoutes } from './routes/alert-related.ts'
import { alertWorkRoutes } from './routes/alert-work.ts'
import { alertRoutes } from './routes/alerts.ts'
import { auditRoutes } from './routes/audit.ts'
import { backtestRoutes, MAX_BACKTEST_BYTES } from './routes/backtests.ts'
import { backupRoutes } from './routes/backups.ts'
import { contentRoutes } from './routes/content.ts'
import { contentHistoryRoutes } from './routes/content-history.ts'
import { deadLetterRoutes } from './routes/dead-letters.ts'
import { deliveryRoutes } from './routes/deliveries.ts'
import { explainRoutes } from './routes/explain.ts'
import { healthCheck, healthRoutes, metricsRoutes } from './routes/health.ts'
import { homeRoutes } from './routes/home.ts'
import { ingestRoutes, shipperAt } from './routes/ingest.ts'
import { mcpRoutes } from './routes/mcp.ts'
import { muteRoutes } from './routes/mutes.ts'
import { queryRoutes } from './routes/query.ts'
import { replayRoutes } from './routes/replays.ts'
import { ruleRoutes } from './routes/rules.ts'
import { sourceRoutes } from './routes/sources.ts'
import { tablePastRoutes } from './routes/table-past.ts'
import { tableRoutes } from './routes/tables.ts'
import { timelineRoutes } from './routes/timeline.ts'
import { tokenRoutes } from './routes/tokens.ts'

/** Largest body of an API call. */
const MAX_BODY_BYTES = 256 * 1024

/**
 * Everything served on the port. `/` and `/healthz` are open. Sources authenticate senders themselves at `/ingest` and at the paths of
 * shippers' protocols. Everything else requires a token whose role allows it (`src/api/access/operations.ts`). There is no CORS, so pages of other sites cannot read responses.
 */
export function createApp(whole: Engine, log: Log = processLog()) {
  const engine = sighted(whole)
  const app = createRouter()
  app.onError((error, c) => answerError(error, c, log, [resolve(engine.config.data_dir)]))
  app.notFound(async (c) => {
    const answer = await shipperAt(engine, c, c.req.path)
    if (answer) return answer
    const message = `there is nothing at ${c.req.path.slice(0, 200)}; the API is documented at /api/v1/openapi.json`
    return c.json({ message, code: 'not_found' }, 404)
  })
  app.use(requireHost(engine.config))
  app.use('/api/*', audited(whole), requireCaller(whole), requireJson, limitBody())
  app.use('/metrics', audited(whole), requireCaller(whole))
  app.use('/mcp/*', audited(whole), requireCaller(whole))
  app.use(methodNotAllowed({ app, onMethodNotAllowed: (_, methods) => refuseMethod(methods) }))
  return app
    .route('/', healthCheck(engine))
    .route('/', metricsRoutes(engine))
    .route('/', ingestRoutes(engine))
    .route('/', healthRoutes(engine))
    .route('/', alertRoutes(engine))
    .route('/', alertWorkRoutes(engine))
    .route('/', alertBulkRoutes(engine))
    .route('/', alertMergeRoutes(engine))
    .route('/', alertRelatedRoutes(engine))
    .route('/', alertBundleRoutes(engine))
    .route('/', muteRoutes(engine))
    .route('/', queryRoutes(engine))
    .route('/', timelineRoutes(engine))
    .route('/', tableRoutes(engine))
    .route('/', tablePastRoutes(engine))
    .route('/', sourceRoutes(engine))
    .route('/', deadLetterRoutes(engine))
    .route('/', deliveryRoutes(engine))
    .route('/', ruleRoutes(engine))
    .route('/', explainRoutes(engine))
    .route('/', contentRoutes(engine))
    .route('/', contentHistoryRoutes(engine))
    .route('/', replayRoutes(engine))
    .route('/', tokenRoutes(engine))
    .route('/', backtestRoutes(engine))
    .route('/', backupRoutes(engine))
    .route('/', auditRoutes(engine))
    .route(
      '/',
      mcpRoutes((path, init, env) => app.request(path, init, env)),
    )
    .route('/', homeRoutes(engine))
    .doc31('/api/v1/openapi.json', { openapi: '3.1.0', info: { title: 'Caracal', version: '1' } })
}

/** The API's type, for a typed client. */
export type Api = ReturnType<typeof createApp>

function limitBody(): MiddlewareHandler {
  const limit = (maxSize: number) =>
    bodyLimit({
      maxSize,
      onError: () => {
        throw new ApiError(413, 'too_large', `bodies of this API call are limited to ${maxSize} bytes`)
      },
    })
  const [usual, content] = [limit(MAX_BODY_BYTES), limit(MAX_BACKTEST_BYTES)]
  return (c, next) => (c.req.path === '/api/v1/backtests' ? content : usual)(c, next)
}

function refuseMethod(methods: readonly string[]): never {
  throw new ApiError(405, 'method_not_allowed', `this URL only supports ${methods.join(', ')}`, { allow: methods.join(', ') })
}

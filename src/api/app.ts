import { resolve } from 'node:path'
import type { MiddlewareHandler } from 'hono'
import { methodNotAllowed } from 'hono/method-not-allowed'
import type { Engine } from '../engine/engine.ts'
import { type Log, processLog } from '../telemetry/log.ts'
import { audited } from './access/audited.ts'
import { acceptForwarded } from './access/forwarded.ts'
import { requireCaller } from './access/guard.ts'
import { requireSameOrigin } from './access/same-origin.ts'
import { sighted } from './access/sight.ts'
import { requireHost, requireJson } from './auth.ts'
import { limitBody, requireShallow } from './body-limits.ts'
import { descriptionOf } from './description.ts'
import { ApiError, answerError } from './errors.ts'
import { tagged } from './etag.ts'
import { LiveStreams } from './live/live-streams.ts'
import { onceOnly } from './once-only.ts'
import type { Description } from './pages/api-docs/description.ts'
import { problemResponse } from './problem.ts'
import { createRouter } from './router.ts'
import { accountPage } from './routes/account-page.ts'
import { alertBulkRoutes } from './routes/alert-bulk.ts'
import { alertBundleRoutes } from './routes/alert-bundle.ts'
import { alertCountRoutes } from './routes/alert-counts.ts'
import { alertHoldRoutes } from './routes/alert-hold.ts'
import { alertMergeRoutes } from './routes/alert-merge.ts'
import { alertRelatedRoutes } from './routes/alert-related.ts'
import { alertWorkRoutes } from './routes/alert-work.ts'
import { alertRoutes } from './routes/alerts.ts'
import { archiveRoutes } from './routes/archive.ts'
import { auditRoutes } from './routes/audit.ts'
import { backtestRoutes } from './routes/backtests.ts'
import { backupRoutes } from './routes/backups.ts'
import { consoleFiles, consolePage, consoleRoutes } from './routes/console.ts'
import { contentRoutes } from './routes/content.ts'
import { contentHistoryRoutes } from './routes/content-history.ts'
import { coverageRoutes } from './routes/coverage.ts'
import { dashboardEditRoutes } from './routes/dashboard-edits.ts'
import { dashboardRoutes } from './routes/dashboards.ts'
import { deadLetterRoutes } from './routes/dead-letters.ts'
import { deletionRoutes } from './routes/deletions.ts'
import { deliveryRoutes } from './routes/deliveries.ts'
import { destinationRoutes } from './routes/destinations.ts'
import { docsPage, signInFirst } from './routes/docs-page.ts'
import { explainRoutes } from './routes/explain.ts'
import { healthCheck, healthRoutes, metricsRoutes } from './routes/health.ts'
import { homeRoutes } from './routes/home.ts'
import { ingestRoutes, shipperAt } from './routes/ingest.ts'
import { mcpRoutes } from './routes/mcp.ts'
import { meRoutes } from './routes/me.ts'
import { meTokenRoutes } from './routes/me-tokens.ts'
import { muteRoutes } from './routes/mutes.ts'
import { packRoutes } from './routes/packs.ts'
import { queriesRoutes } from './routes/queries.ts'
import { queryRoutes } from './routes/query.ts'
import { replayRoutes } from './routes/replays.ts'
import { retentionRoutes } from './routes/retention.ts'
import { riskRoutes } from './routes/risk.ts'
import { ruleDetailRoutes } from './routes/rule-detail.ts'
import { ruleEditRoutes } from './routes/rule-edits.ts'
import { ruleTestRoutes } from './routes/rule-tests.ts'
import { ruleVersionRoutes } from './routes/rule-versions.ts'
import { ruleRoutes } from './routes/rules.ts'
import { schemaRoutes } from './routes/schemas.ts'
import { searchRoutes } from './routes/search.ts'
import { searchEditRoutes } from './routes/search-edits.ts'
import { searchesRoutes } from './routes/searches.ts'
import { shipperRoutes } from './routes/shippers.ts'
import { signInRoutes } from './routes/sign-in.ts'
import { signInPages } from './routes/sign-in-pages.ts'
import { sourceEditRoutes } from './routes/source-edits.ts'
import { sourceRoutes } from './routes/sources.ts'
import { streamRoutes } from './routes/stream.ts'
import { tableEditRoutes } from './routes/table-edits.ts'
import { tablePastRoutes } from './routes/table-past.ts'
import { tableRoutes } from './routes/tables.ts'
import { timelineRoutes } from './routes/timeline.ts'
import { tokenRoutes } from './routes/tokens.ts'
import { unknownFieldRoutes } from './routes/unknown-fields.ts'
import { userSessionRoutes } from './routes/user-sessions.ts'
import { userRoutes } from './routes/users.ts'

/** Pages without scripts, and the forms on them: how people sign in, and their own account. */
const PAGES = ['/sign-in', '/sign-in/oidc', '/sign-in/callback/oidc', '/sign-in-code', '/setup', '/account']

/**
 * Everything served on the port. `/` and `/healthz` are open. Sources authenticate senders themselves at `/ingest` and at the paths of
 * shippers' protocols. Everything else requires a token whose role allows it (`src/api/access/operations.ts`). There is no CORS, so pages of other sites cannot read responses.
 */
export function createApp(whole: Engine, log: Log = processLog(), live = new LiveStreams(), console = consoleFiles()) {
  const engine = sighted(whole)
  const app = createRouter()
  app.onError((error, c) => answerError(error, c, log, [resolve(engine.config.data_dir)]))
  app.notFound(async (c) => {
    const answer = consolePage(console, engine, c) ?? (await shipperAt(engine, c, c.req.path))
    if (answer) return answer
    const message = `there is nothing at ${c.req.path.slice(0, 200)}; the API is documented at /api/v1/openapi.json`
    return problemResponse(404, 'not_found', message)
  })
  app.use(acceptForwarded(whole))
  app.use(requireHost(engine.config))
  app.use('/api/v1/docs', signInFirst(whole))
  app.use(
    '/api/*',
    audited(whole),
    requireCaller(whole, { isForPeople: true }),
    requireJson,
    limitBody(),
    requireShallow,
    onceOnly(whole),
    tagged,
    live.afterChanges,
  )
  for (const path of PAGES) app.use(path, audited(whole), pagesOnly(whole.config), limitBody())
  app.use('/metrics', audited(whole), requireCaller(whole, { isForPeople: false }))
  app.use('/mcp/*', audited(whole), requireCaller(whole, { isForPeople: false }))
  app.use(methodNotAllowed({ app, onMethodNotAllowed: (_, methods) => refuseMethod(methods) }))
  return app
    .route('/', consoleRoutes(console))
    .route('/', healthCheck(engine))
    .route('/', metricsRoutes(engine))
    .route('/', ingestRoutes(engine))
    .route('/', healthRoutes(engine))
    .route('/', alertCountRoutes(engine))
    .route('/', alertRoutes(engine))
    .route('/', alertWorkRoutes(engine))
    .route('/', alertBulkRoutes(engine))
    .route('/', alertMergeRoutes(engine))
    .route('/', alertHoldRoutes(engine))
    .route('/', alertRelatedRoutes(engine))
    .route('/', alertBundleRoutes(engine))
    .route('/', muteRoutes(engine))
    .route('/', queryRoutes(engine))
    .route('/', queriesRoutes(engine))
    .route('/', searchRoutes(engine))
    .route('/', searchesRoutes(engine))
    .route('/', searchEditRoutes(engine))
    .route('/', dashboardRoutes(engine))
    .route('/', dashboardEditRoutes(engine))
    .route('/', timelineRoutes(engine))
    .route('/', riskRoutes(engine))
    .route('/', tableRoutes(engine))
    .route('/', tablePastRoutes(engine))
    .route('/', tableEditRoutes(engine))
    .route('/', packRoutes(engine))
    .route('/', sourceRoutes(engine))
    .route('/', sourceEditRoutes(engine))
    .route('/', shipperRoutes(engine))
    .route('/', deadLetterRoutes(engine))
    .route('/', deliveryRoutes(engine))
    .route('/', ruleRoutes(engine))
    .route('/', ruleDetailRoutes(engine))
    .route('/', ruleTestRoutes(engine))
    .route('/', ruleEditRoutes(engine))
    .route('/', ruleVersionRoutes(engine))
    .route('/', coverageRoutes(engine))
    .route('/', schemaRoutes(engine))
    .route('/', unknownFieldRoutes(engine))
    .route('/', destinationRoutes(engine))
    .route('/', explainRoutes(engine))
    .route('/', contentRoutes(engine))
    .route('/', contentHistoryRoutes(engine))
    .route('/', replayRoutes(engine))
    .route('/', tokenRoutes(engine))
    .route('/', signInRoutes(engine))
    .route('/', meRoutes(engine))
    .route('/', meTokenRoutes(engine))
    .route('/', userRoutes(engine))
    .route('/', userSessionRoutes(engine))
    .route('/', backtestRoutes(engine))
    .route('/', backupRoutes(engine))
    .route('/', archiveRoutes(engine))
    .route('/', retentionRoutes(engine))
    .route('/', deletionRoutes(engine))
    .route('/', auditRoutes(engine))
    .route(
      '/',
      streamRoutes(engine, live, (path, init, env) => app.request(path, init, env)),
    )
    .route(
      '/',
      mcpRoutes((path, init, env) => app.request(path, init, env)),
    )
    .route(
      '/',
      docsPage(() => descriptionOf(app) as Description),
    )
    .route('/', signInPages(whole))
    .route('/', accountPage(whole))
    .route('/', homeRoutes(engine, console))
    .get('/api/v1/openapi.json', (c) => c.json(descriptionOf(app)))
}

/** The API's type, for a typed client. */
export type Api = ReturnType<typeof createApp>

/** Forms of other sites must not reach those of ours. */
function pagesOnly(config: Engine['config']): MiddlewareHandler {
  return (c, next) => {
    if (c.req.method !== 'GET' && c.req.method !== 'HEAD') requireSameOrigin(c, config)
    return next()
  }
}

function refuseMethod(methods: readonly string[]): never {
  throw new ApiError(405, 'method_not_allowed', `this URL only supports ${methods.join(', ')}`, { allow: methods.join(', ') })
}

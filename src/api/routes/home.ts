import { Hono } from 'hono'
import type { Engine } from '../../engine/engine.ts'
import { shipperAt } from './ingest.ts'

const PAGE = `Caracal: a self-hosted, real-time, detection-as-code security monitor.

This address takes logs, judges them and answers questions. A console for the browser comes with a later release;
until then the command line shows everything (in a checkout: node bin/caracal.js instead of caracal):

  caracal alerts                what was found
  caracal alerts show <id>      why
  caracal query "SELECT ..."    the events, by SQL
  caracal sources               records received, and what became of them
  caracal tables                lookup tables and how current they are
  caracal health                what stands in the way

  POST /ingest/default              send logs: JSON lines, JSON arrays or plain lines, gzip too
  GET  /api/v1/openapi.json         the API
  GET  /metrics                     figures for Prometheus
  GET  /healthz                     for machines

All but the last need the header "Authorization: Bearer <token>", with the token in the file "token" of the data folder.
`

/** The page at `/` until there is a console; clients of Elasticsearch ask there what they are talking to. */
export function homeRoutes(engine: Engine): Hono {
  return new Hono().get('/', async (c) => {
    const isSender = c.req.header('authorization') !== undefined
    return (isSender && (await shipperAt(engine, c, '/'))) || c.text(PAGE)
  })
}

import { Hono } from 'hono'
import type { Engine } from '../../engine/engine.ts'
import { type ConsoleFiles, consolePage } from './console.ts'
import { shipperAt } from './ingest.ts'

const PAGE = `Caracal: a self-hosted, real-time, detection-as-code security monitor.

This address takes logs, judges them and answers questions. In a browser it is the console; the command line shows the same
(in a checkout: node bin/caracal.js instead of caracal):

  caracal alerts                what was found
  caracal alerts show <id>      why
  caracal query "SELECT ..."    the events, by SQL
  caracal sources               records received, and what became of them
  caracal tables                lookup tables and how current they are
  caracal health                what stands in the way

  POST /ingest/default              send logs: JSON lines, JSON arrays or plain lines, gzip too
  GET  /api/v1/docs                 the API, for people
  GET  /api/v1/openapi.json         the API, for programs
  GET  /metrics                     figures for Prometheus
  GET  /healthz                     for machines
  GET  /sign-in                     for people

The API, ingest and metrics need the header "Authorization: Bearer <token>", with the token in the file "token" of the data folder.
`

/** At `/`, browsers get the console and programs a text; clients of Elasticsearch ask there what they are talking to. */
export function homeRoutes(engine: Engine, console: ConsoleFiles | undefined): Hono {
  return new Hono().get('/', async (c) => {
    const isSender = c.req.header('authorization') !== undefined
    return (isSender && (await shipperAt(engine, c, '/'))) || consolePage(console, engine, c) || c.text(PAGE)
  })
}

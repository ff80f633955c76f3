import { createAdaptorServer } from '@hono/node-server'

// The first server of a process puts the adapter's own class in place of `Response`. Imported before other modules, they find it there.
createAdaptorServer({ fetch: () => new Response() })

// `npm run client`: writes the types of the client, src/client/operations.ts, from the API's own description.
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createApp } from '../dist/api/app.js'
import { clientTypes } from './lib/client-types.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

/** Anything of an engine, as far as making routes looks at it. */
const nothing = () => new Proxy(() => nothing(), { get: (_, name) => (name === Symbol.toPrimitive ? () => '' : nothing()) })
const engine = new Proxy({ config: { data_dir: '.', listen: '127.0.0.1:4848' } }, { get: (own, name) => own[name] ?? nothing() })

const description = createApp(engine).getOpenAPI31Document({ openapi: '3.1.0', info: { title: 'Caracal', version: '1' } })
const file = join(root, 'src/client/operations.ts')
writeFileSync(file, clientTypes(description))
spawnSync('npx', ['biome', 'format', '--write', file], { cwd: root, stdio: 'inherit' })

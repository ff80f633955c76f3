// Writes docs/configuration.md from the schema of the configuration, as compiled (npm run build).
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { configSchema } from '../dist/config/config.js'
import { configurationPage } from './lib/configuration-page.mjs'

const file = join(import.meta.dirname, '../docs/configuration.md')
writeFileSync(file, configurationPage(z.toJSONSchema(configSchema, { io: 'input' })))

import { z } from 'zod'
import { targetUrl } from '../util/http/target-url.ts'
import { secretReference } from '../util/secret.ts'

/** The `tracing` block: where traces of batches go. */
export const tracingSchema = z.strictObject({
  endpoint: targetUrl.describe(
    'URL that takes traces as OTLP over HTTP (JSON), such as http://127.0.0.1:4318/v1/traces of an OpenTelemetry Collector.',
  ),
  sample: z
    .number()
    .min(0)
    .max(1)
    .default(0.01)
    .describe('Share of batches to trace: 1 is all of them. Which ones follows from their ids.'),
  headers: z
    .record(z.string(), z.union([z.string(), secretReference]))
    .default({})
    .describe('Extra request headers. Write a secret value as {env: NAME} or {file: PATH}.'),
})

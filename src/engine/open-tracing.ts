import type { Config } from '../config/config.ts'
import { resolveSecret } from '../config/env.ts'
import { nodeName } from '../config/node.ts'
import type { BatchTraces } from '../pipeline/batch-trace.ts'
import type { Send } from '../util/http/send.ts'
import { version } from '../util/version.ts'

/** Traces of batches, and what sends them. */
export interface Tracing {
  readonly traces: BatchTraces
  /** Sends what waits, for a second at most. */
  stop(): Promise<void>
}

/** Loads what traces batches, if the configuration says where traces go. Throws `ConfigError` for a secret that cannot be read. */
export async function openTracing(
  config: Pick<Config, 'tracing' | 'node'>,
  { send, onTrouble }: { readonly send: Send; readonly onTrouble: (message: string | undefined) => void },
): Promise<Tracing | undefined> {
  if (!config.tracing) return undefined
  const { endpoint, sample, headers: given } = config.tracing
  const headers = Object.fromEntries(
    Object.entries(given).map(([name, value]) => [name, typeof value === 'string' ? value : resolveSecret(value)]),
  )
  const [{ BatchTraces }, { SpanSender }] = await Promise.all([
    import('../pipeline/batch-trace.ts'),
    import('../telemetry/tracing/span-sender.ts'),
  ])
  const node = nodeName(config)
  const resource = { 'service.name': 'caracal', 'service.version': version(), 'service.instance.id': node }
  const sender = new SpanSender({ endpoint, headers, send, resource, onTrouble })
  return {
    traces: new BatchTraces({ node, sample, onSpans: (spans) => sender.add(spans) }),
    stop: () => sender.stop(),
  }
}

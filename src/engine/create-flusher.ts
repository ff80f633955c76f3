import type { Config } from '../config/config.ts'
import { Flusher } from '../pipeline/flusher.ts'
import type { PipelineState } from '../pipeline/pipeline-state.ts'
import { RowWriter } from '../stages/store/row-writer.ts'
import type { Remote } from '../util/rpc.ts'
import type { MainCalls } from './pipeline-calls.ts'

const MAX_FLUSH_BYTES = 48 * 1024 * 1024

interface Deps {
  readonly config: Config
  readonly state: PipelineState
  readonly lake: Remote<Pick<MainCalls, 'ensure' | 'store'>>
  readonly onTrouble: (kind: string, message: string | undefined) => void
  /** There is room for more rows. */
  readonly onStored: () => void
}

/** The part of the pipeline that moves committed rows to the lake. */
export function createFlusher({ config, state, lake, onTrouble, onStored }: Deps): Flusher {
  const writer = new RowWriter(config.data_dir, {
    ensure: (table, late) => lake.call('ensure', { table, late }),
    store: (table, file, token) => lake.call('store', { table, file, token }),
  })
  return new Flusher(state, writer, {
    flushRows: config.flush_rows,
    flushMs: config.flush_ms,
    maxBytes: MAX_FLUSH_BYTES,
    now: Date.now,
    onLost: (message) => onTrouble('lost', `The lake permanently refused rows: ${message}.`),
    onTrouble: (message) =>
      onTrouble('lake', message && `Rows wait in the state for lake tables that do not accept them at the moment: ${message}`),
    onStored,
  })
}

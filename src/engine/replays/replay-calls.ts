import type { Engine } from '../engine.ts'
import type { ReplayNews } from '../news/replay-news.ts'
import type { PipelineThread } from '../threads.ts'
import { addBacktest } from './backtest-files.ts'

/** The engine's members about replays. Each change may be news. */
export function replayCalls(
  { rpc }: Pick<PipelineThread, 'rpc'>,
  dataDir: string,
  news: ReplayNews,
): Pick<Engine, 'replays' | 'addReplay' | 'addBacktest' | 'cancelReplay'> {
  const addReplay: Engine['addReplay'] = (ask) => rpc.call('addReplay', ask).finally(() => news.look())
  return {
    replays: () => rpc.call('replays'),
    addReplay,
    addBacktest: (call) => addBacktest(call, dataDir, addReplay),
    cancelReplay: (id) => rpc.call('cancelReplay', id).finally(() => news.look()),
  }
}

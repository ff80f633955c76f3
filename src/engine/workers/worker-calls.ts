import type { AskedHeader, MakerCalls, MakerNews, MakerOptions } from '../makers/maker-calls.ts'

/** The active node's calls to a maker on a worker. */
export interface WorkerCalls extends MakerCalls {
  /** The first one: starts the maker's thread. */
  start: (config: Omit<MakerOptions['config'], 'data_dir'>) => void
}

/** What a worker tells and asks the active node about one maker. */
export interface WorkerNews extends MakerNews {
  /** The meaning of a log without a schema: a definition of its schema, or its log type. */
  describe: (question: AskedHeader) => object | string
  /** The thread of the maker has ended by itself, with this error. */
  died: (message: string) => void
}

import type { KafkaLink } from '../../util/kafka/link.ts'
import { waitForMore } from '../../util/kafka/log.ts'
import type { TopicReader } from './reader.ts'
import type { SpoolTopic } from './topic.ts'

/** A topic that this process reads. */
export interface Watched {
  readonly topic: SpoolTopic
  readonly reader: TopicReader
}

/** How long a broker waits for messages before it answers that there are none. Topics whose end is reached meanwhile are in the next request. */
const WAIT_MS = 500

/**
 * Learns at once what other processes have appended to topics that are read to their end: one request for each broker waits there. Its
 * link is its own, since a broker answers the requests of a connection one after another.
 */
export class AppendWatch {
  readonly #link: KafkaLink
  readonly #watched: () => readonly Watched[]
  /** Brokers at which a request waits. */
  readonly #leaders = new Set<number>()
  #isClosed = false

  constructor(link: KafkaLink, watched: () => readonly Watched[]) {
    this.#link = link
    this.#watched = watched
  }

  /** Starts to wait at brokers where nothing waits; call it regularly, since waiting ends when it fails. */
  start(): void {
    for (const leader of new Set(this.#idle().map(({ topic }) => topic.place.leader)))
      if (!this.#leaders.has(leader)) {
        this.#leaders.add(leader)
        // What fails here fails elsewhere too, where it is reported.
        void this.#wait(leader)
          .catch(() => {})
          .finally(() => this.#leaders.delete(leader))
      }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#link.close()
  }

  async #wait(leader: number): Promise<void> {
    while (!this.#isClosed) {
      const here = this.#idle().filter(({ topic }) => topic.place.leader === leader)
      if (here.length === 0) return
      const places = here.map(({ topic }) => ({ topic: topic.place.topic, offset: topic.high }))
      const ends = await waitForMore(this.#link, leader, places, WAIT_MS)
      const grown = here.filter(({ topic }) => (ends.get(topic.options.name) ?? 0) > topic.high)
      await Promise.all(grown.map(({ reader }) => reader.poll()))
      // Where so much is read ahead that the poll fetched nothing, reading goes on by itself.
      for (const { topic } of grown) topic.seen({ low: topic.low, high: ends.get(topic.options.name)! })
    }
  }

  /** Everything that is known to be in the others is being fetched anyway. */
  #idle(): Watched[] {
    return this.#watched().filter(({ reader }) => reader.isAtEnd)
  }
}

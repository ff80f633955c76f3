import type { Learned } from '../../model/learned.ts'
import type { VersionInForce } from '../../stages/enrich/keeper-types.ts'
import type { StateDb } from '../../state/db.ts'
import type { OpenContent } from '../open-content.ts'
import type { Reading } from '../reading.ts'
import type { ReplayLake } from '../replays/pages.ts'
import { RETRO } from '../troubles.ts'
import { Learning } from './learning.ts'
import { RetroMatch } from './retro-match.ts'

interface Deps {
  /** `data_dir`. */
  readonly dataFolder: string
  readonly db: StateDb
  readonly content: () => OpenContent
  readonly reading: Reading
  readonly lake: ReplayLake
  readonly onTrouble: (kind: string, message: string | undefined) => void
}

/** Retro-match: when a table learns of a key, past events that contain it are judged again. Start reading here. */
export class Retro {
  readonly #content: Deps['content']
  readonly #learning: Learning
  readonly #match: RetroMatch

  constructor({ dataFolder, db, content, reading, lake, onTrouble }: Deps) {
    this.#content = content
    this.#match = new RetroMatch({
      db,
      content,
      lake,
      settle: async () => {
        // Batches in progress may still have been joined with the table as it was before.
        await reading.loop.other(async () => undefined)
        await lake.flush()
      },
      isBusy: () => [...reading.loop.inFlight.values()].some((records) => records > 0),
      add: (ask, found) => reading.replays.add(ask, found),
      onCut: (table, message) => onTrouble(`${RETRO}${table}`, message),
      onTrouble: (message) => onTrouble('retro', message),
      now: Date.now,
    })
    this.#learning = new Learning({
      dataFolder,
      db,
      learned: (learned) => this.#match.learned(learned),
      onTrouble: (message) => onTrouble('learning', message),
      now: Date.now,
    })
  }

  /** Continues with what was learned before the last stop. */
  start(): Promise<void> {
    return this.#match.start()
  }

  stop(): Promise<void> {
    return this.#match.stop()
  }

  /** A table's content has changed. Resolves once it is durable what it learned. */
  changed(change: VersionInForce): Promise<void> {
    return this.#learning.changed(change, this.#content().loaded.tables.get(change.table))
  }

  learned(learned: Learned): Promise<void> {
    return this.#match.learned(learned)
  }
}

import { stringify } from 'yaml'
import { destinations } from '../stages/deliver/index.ts'

/** Something that alerts can be sent to. */
export interface DestinationKind {
  readonly type: string
  readonly summary: string
  /** Lines of the configuration file that set one up: an example of each key that is needed. */
  readonly lines: string
}

/** Every kind of destination. */
export function destinationKinds(): readonly DestinationKind[] {
  return destinations.map(({ type, summary, example }) => ({
    type,
    summary,
    lines: stringify({ destinations: [{ type, ...example }] }, { lineWidth: 0 }),
  }))
}

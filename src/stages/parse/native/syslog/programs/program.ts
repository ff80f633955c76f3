import type { JsonObject } from '../../../../../model/json.ts'

/** A program whose messages are understood. */
export interface Program {
  /** Names in lower case, without a path. */
  readonly names: readonly string[]
  /**
   * The fields that a message contains, or `undefined` if there are none. A remote user chooses parts of a message, such as
   * names: where they could be mistaken for the address of somebody else, that field is left out. Never throws, and takes time
   * linear in the length of the message.
   */
  read(message: string): JsonObject | undefined
}

import { parseDocument } from 'yaml'
import { type PackKey, withPack } from '../../config/edit.ts'
import { type PackMembers, type PackView, packViews } from '../../packs/pack-members.ts'
import { noSuchPack, packsOff } from '../../packs/packs.ts'
import { Order } from '../../pipeline/order.ts'
import { ConfigError, Refused } from '../../util/errors.ts'
import type { ContentChange } from '../engine.ts'
import type { LiveSettings } from './live-settings.ts'
import type { SettingsWriter } from './settings-writer.ts'

export interface PackDeskDeps {
  readonly live: LiveSettings
  readonly writer: SettingsWriter
  /** Those of the content in force. */
  readonly packs: () => readonly PackMembers[]
}

/** Switches packs on and off while running, in the configuration file and in force. */
export class PackDesk {
  readonly #deps: PackDeskDeps
  readonly #order = new Order()

  constructor(deps: PackDeskDeps) {
    this.#deps = deps
  }

  /** All packs, by id. */
  list(): PackView[] {
    const { live, packs } = this.#deps
    return packViews(packs(), packsOff(packs(), live.config))
  }

  /**
   * Switches a pack. Resolves when its detections run and its tables are used, or no longer; `undefined` if it was so already. Rejects with
   * `ConfigError` for an unknown pack, with `Refused` if it cannot be done; then the file is as before.
   */
  switch(id: string, isOn: boolean, actor: string): Promise<ContentChange | undefined> {
    return this.#order.run(async () => {
      const { live, writer, packs } = this.#deps
      const pack = packs().find((one) => one.id === id)
      if (!pack) {
        const known = packs().map((one) => one.id)
        throw new ConfigError(noSuchPack(id, known))
      }
      if (packsOff(packs(), live.config).includes(id) !== isOn) return undefined
      const draft = writer.draft((text) => withPackSwitched(text, pack, isOn))
      const { disabled_packs, enabled_packs } = draft.config
      if (packsOff(packs(), draft.config).includes(id) === isOn)
        throw new Refused(
          `the pack '${id}' is ${isOn ? 'off' : 'on'} by the environment (CARACAL_DISABLED_PACKS, CARACAL_ENABLED_PACKS), which the configuration file cannot change: remove it there, and restart`,
        )
      return writer.write(draft, { disabled_packs, enabled_packs }, actor)
    })
  }
}

/** The text of a configuration in which the pack is on or off. */
export function withPackSwitched(
  text: string,
  { id, isOptional }: Pick<PackMembers, 'id' | 'isOptional'>,
  isOn: boolean,
): string {
  const put = (key: PackKey, isListed: boolean) => (now: string) =>
    isIn(now, key, id) === isListed ? now : withPack(now, key, id, isListed)
  // A pack that is off by default is off unless it is enabled; one that is disabled as well needs both.
  const steps = isOn
    ? [put('disabled_packs', false), ...(isOptional ? [put('enabled_packs', true)] : [])]
    : isOptional
      ? [put('enabled_packs', false)]
      : [put('disabled_packs', true)]
  return steps.reduce((now, step) => step(now), text)
}

function isIn(text: string, key: PackKey, id: string): boolean {
  const list: unknown = parseDocument(text).toJS()?.[key]
  return Array.isArray(list) && list.includes(id)
}

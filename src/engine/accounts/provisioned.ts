import { AsyncLocalStorage } from 'node:async_hooks'
import type { Role } from '../../model/account.ts'

/** What the provider's answer makes of a person. */
export interface Provisioned {
  readonly role: Role
  /** JSON list. */
  readonly logTypes: string
  readonly createdBy: string
}

interface Slot {
  now?: Provisioned
  /** Why a person was refused, in words. */
  refusal?: string
}

const current = new AsyncLocalStorage<Slot>()

/** Runs one answer of the provider; what is set within is returned with its result. */
export async function provisioning<T>(run: () => Promise<T>): Promise<{ readonly result: T } & Slot> {
  const slot: Slot = {}
  const result = await current.run(slot, run)
  return { result, ...slot }
}

export function setProvisioned(value: Provisioned): void {
  const slot = current.getStore()
  if (slot) slot.now = value
}

export function setRefusal(why: string): void {
  const slot = current.getStore()
  if (slot) slot.refusal = why
}

export function provisioned(): Provisioned | undefined {
  return current.getStore()?.now
}

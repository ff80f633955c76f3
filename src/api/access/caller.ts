import { AsyncLocalStorage } from 'node:async_hooks'
import type { Caller } from '../../model/account.ts'

const callers = new AsyncLocalStorage<Caller>()

/** Runs a call as this caller's. */
export function callAs<T>(caller: Caller, run: () => T): T {
  return callers.run(caller, run)
}

/** Who makes the current call; `undefined` outside of one. */
export function currentCaller(): Caller | undefined {
  return callers.getStore()
}

/** What changes of the current call are attributed to. Callers cannot choose it. */
export function callerName(): string {
  const caller = callers.getStore()
  if (!caller) throw new Error('there is no caller outside of a call')
  return caller.name
}

/**
 * The name of whom a call says it is for, as programs on this machine may say; it cannot be that of another account, because only the data
 * folder's token may name anyone.
 */
export function actorName(said: string | undefined): string | undefined {
  const caller = callers.getStore()
  return caller?.kind === 'machine' ? said : callerName()
}

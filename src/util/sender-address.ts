import { AsyncLocalStorage } from 'node:async_hooks'

const addresses = new AsyncLocalStorage<string>()

/** Handles a request of a sender of logs from this address. */
export function sentFrom<T>(address: string, handle: () => T): T {
  return addresses.run(address, handle)
}

/**
 * The address of the sender whose request is being handled, or ''. Whatever header of its protocol has the sender's token, whether the
 * token may be used from there is decided by this.
 */
export function senderAddress(): string {
  return addresses.getStore() ?? ''
}

import type { JsonObject } from '../../../../model/json.ts'

/** What a service knows about each address asked for; `undefined`: nothing that belongs in a table. */
export type Verdicts = ReadonlyMap<string, JsonObject | undefined>

export interface ServiceRequest {
  readonly url: string
  readonly method?: 'GET' | 'POST'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

/** How to query a service about single addresses. */
export interface Service {
  /** As in `service:` of the provider. */
  readonly type: string
  readonly summary: string
  /** Where it is, unless the table says otherwise. */
  readonly url: string
  /** Header that contains the key. */
  readonly keyHeader: string
  /** Without one it does not answer. */
  readonly needsKey: boolean
  /** False if it only knows IPv4 addresses. */
  readonly hasIpv6: boolean
  /** Maximum number of addresses in one request. */
  readonly atOnce: number
  /** Limits for tables that do not set any: those of the service's free plan. */
  readonly perMinute: number
  readonly perDay: number
  /** `base`: URL without a trailing slash. The caller adds the key. */
  request(addresses: readonly string[], base: string): ServiceRequest
  /**
   * Reads a response that is neither about the key (401, 403), the rate (429) nor a failure of the server (5xx).
   *
   * @throws {TableError} if it is not an answer of this service.
   */
  read(response: { readonly status: number; readonly body: Uint8Array }, addresses: readonly string[]): Verdicts
}

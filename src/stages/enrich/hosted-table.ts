import { z } from 'zod'

/** Buckets of Panther's own service: nobody else can read them. */
const BUCKET = /^s3:\/\/panther-[\da-z-]+-s3alias\//

const hostedSchema = z.looseObject({
  LookupName: z.string().min(1).max(200),
  Enabled: z.boolean().default(true),
  Refresh: z.looseObject({ ObjectPath: z.string().regex(BUCKET) }),
  LogTypeMap: z.looseObject({
    AssociatedLogTypes: z
      .array(z.looseObject({ LogType: z.string(), Selectors: z.array(z.string()).nullish() }))
      .max(2000)
      .nullish(),
  }),
})

/** A table of Panther's public content that only its service can fill. */
export interface HostedTable {
  readonly name: string
  readonly enabled: boolean
  /** Its log types that name fields. */
  readonly associations: readonly { readonly LogType: string; readonly Selectors: string[] }[]
}

/**
 * Reads a definition whose content is in a bucket of Panther's service; `undefined` for any other. Such a definition adds its selectors to
 * the shipped table of the same name.
 */
export function hostedTable(document: unknown): HostedTable | undefined {
  const { data } = hostedSchema.safeParse(document)
  if (!data) return undefined
  const associations = (data.LogTypeMap.AssociatedLogTypes ?? []).flatMap(({ LogType, Selectors }) =>
    Selectors && Selectors.length > 0 ? [{ LogType, Selectors }] : [],
  )
  return { name: data.LookupName, enabled: data.Enabled, associations }
}

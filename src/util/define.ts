import { z } from 'zod'

/** What every registered component has: a name, a one-line summary and a config schema. */
export interface Definition<Type extends string, Shape extends z.ZodRawShape> {
  readonly type: Type
  readonly summary: string
  readonly config: z.ZodObject<Shape>
  /** A valid config; the docs show it and the conformance test parses it. */
  readonly example: z.input<z.ZodObject<Shape>>
}

/** The config block of one definition, with its `type` tag. */
export type ConfigOf<D> = D extends { type: infer T extends string; config: infer C extends z.ZodType }
  ? { type: T } & z.output<C>
  : never

/** Any registered component, as the registry helpers see it. */
export interface AnyDefinition {
  readonly type: string
  readonly summary: string
  readonly config: z.ZodObject
  readonly example: object
}

/** The schema for one of these, tagged by `type`. Unknown keys are refused. */
export function oneOf<const L extends readonly AnyDefinition[]>(kind: string, list: L) {
  const types = list.map((d) => d.type)
  const twice = types.find((t, i) => types.indexOf(t) !== i)
  if (twice) throw new Error(`${kind} '${twice}' is registered twice`)
  const options = list.map((d) => z.strictObject({ type: z.literal(d.type), ...d.config.shape }))
  return z.discriminatedUnion('type', options as never) as unknown as z.ZodType<ConfigOf<L[number]>>
}

/** Finds a definition by type, or throws an error that lists the known ones. */
export function find<L extends readonly { readonly type: string }[]>(kind: string, list: L, type: string): L[number] {
  const found = list.find((d) => d.type === type)
  if (!found) throw new Error(`Unknown ${kind} '${type}'. Known: ${list.map((d) => d.type).join(', ')}`)
  return found
}

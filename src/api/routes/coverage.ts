import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Engine } from '../../engine/engine.ts'
import { coverageIn, TACTICS, techniqueName } from '../../model/mitre.ts'
import { createRouter } from '../router.ts'
import { ruleSchema } from './rules.ts'

const coveringSchema = ruleSchema.pick({ id: true, name: true, enabled: true, severity: true, state: true, matches: true })

const coverageSchema = z.object({
  tactics: z.array(
    z.object({
      tactic: z.string().describe('As in `TA0001`.'),
      name: z.string().nullable().describe('null: not a tactic of the enterprise matrix.'),
      rules_on: z.int().describe('Enabled rules of this tactic.'),
      rules_off: z.int(),
      matches: z.int().describe('Since startup.'),
      techniques: z.array(
        z.object({
          technique: z.string().describe('As in `T1078` or `T1078.004`.'),
          name: z.string().nullable().describe('null: not a technique of the enterprise matrix.'),
          rules_on: z.int(),
          rules_off: z.int(),
          matches: z.int(),
          rules: z.array(coveringSchema),
        }),
      ),
    }),
  ),
  without: z.array(z.string()).describe('Rules that name no tactic with a technique.'),
})

const show = createRoute({
  method: 'get',
  path: '/api/v1/coverage',
  summary: 'Tactics and techniques of MITRE ATT&CK that rules name under `Reports`, in the order of the matrix.',
  responses: { 200: { description: 'The coverage.', content: { 'application/json': { schema: coverageSchema } } } },
})

type Covering = z.output<typeof coveringSchema>

/** `GET /api/v1/coverage`. */
export function coverageRoutes(engine: Engine) {
  return createRouter().openapi(show, (c) => {
    const { rules } = engine.content
    const states = engine.ruleStates(rules)
    const cells = new Map<string, Map<string, Covering[]>>([...TACTICS.keys()].map((tactic) => [tactic, new Map()]))
    const without: string[] = []
    for (const [i, { id, displayName: name, enabled, severity, reports }] of rules.entries()) {
      const covered = coverageIn(reports)
      if (covered.length === 0) without.push(id)
      const { state, matches } = states[i]!
      for (const { tactic, technique } of covered) {
        const techniques = cells.get(tactic) ?? new Map<string, Covering[]>()
        cells.set(tactic, techniques)
        techniques.set(technique, [...(techniques.get(technique) ?? []), { id, name, enabled, severity, state, matches }])
      }
    }
    const tactics = [...cells].map(([tactic, techniques]) => {
      const all = new Map([...techniques.values()].flat().map((rule) => [rule.id, rule]))
      return {
        tactic,
        name: TACTICS.get(tactic) ?? null,
        ...countsOf([...all.values()]),
        techniques: [...techniques]
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([technique, covering]) => ({
            technique,
            name: techniqueName(technique) ?? null,
            ...countsOf(covering),
            rules: covering,
          })),
      }
    })
    return c.json({ tactics, without }, 200)
  })
}

function countsOf(rules: readonly Covering[]) {
  const on = rules.filter(({ enabled }) => enabled).length
  return { rules_on: on, rules_off: rules.length - on, matches: rules.reduce((sum, { matches }) => sum + matches, 0) }
}

import { type AuthoringDeps, createAuthoring } from './authoring/authoring.ts'
import { BundleWork } from './bundles/bundle-work.ts'
import { contentPlaces } from './content-places.ts'
import { destinationKinds } from './destination-kinds.ts'
import { destinationTester } from './destination-test.ts'
import type { Engine } from './engine.ts'
import { ExplainWork, type ExplainWorkDeps } from './explain/explain-work.ts'

/** Nothing is read to check a query. */
const CHECK_MS = 10_000

type SideCalls = Pick<Engine, 'explain' | 'bundle' | 'authoring' | 'ruleText' | 'testDestination' | 'destinationKinds'>

type SideDeps = ExplainWorkDeps &
  Omit<AuthoringDeps, 'checkQuery'> &
  Pick<Engine, 'read'> & { readonly http: Parameters<typeof destinationTester>[1] }

/** Calls that are made rarely and take long; all but that of a destination have a separate thread work for them. */
export function sideCalls(deps: SideDeps): SideCalls {
  const { config, read, http, query } = deps
  const explainWork = new ExplainWork(deps)
  const bundleWork = new BundleWork({ read, roots: () => contentPlaces(config).map(({ name }) => name) })
  const checkQuery: AuthoringDeps['checkQuery'] = async (sql, dialect, span) => {
    const { translated } = await query(sql, { ...(span && { span }), dialect, checksOnly: true, timeoutMs: CHECK_MS })
    return translated ? 'snowflake' : 'clickhouse'
  }
  const authoring = createAuthoring({ ...deps, checkQuery })
  return {
    explain: (ask) => explainWork.explain(ask),
    bundle: (alert) => bundleWork.make(alert),
    authoring,
    testDestination: destinationTester(config, http),
    destinationKinds,
    ruleText: (ruleId) => authoring.rules.text(ruleId),
  }
}

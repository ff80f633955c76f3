import { BundleWork } from './bundles/bundle-work.ts'
import { contentPlaces } from './content-places.ts'
import type { Engine } from './engine.ts'
import { ExplainWork, type ExplainWorkDeps } from './explain/explain-work.ts'

/** The calls that are answered by a separate thread each. */
export function sideCalls(deps: ExplainWorkDeps & Pick<Engine, 'read'>): Pick<Engine, 'explain' | 'bundle'> {
  const { config, read } = deps
  const explainWork = new ExplainWork(deps)
  const bundleWork = new BundleWork({ read, roots: () => contentPlaces(config).map(({ name }) => name) })
  return { explain: (ask) => explainWork.explain(ask), bundle: (alert) => bundleWork.make(alert) }
}

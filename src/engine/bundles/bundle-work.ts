import { isRuleError, type StoredAlert } from '../../model/alert.ts'
import { MAX_GENERATIONS } from '../../model/content-history.ts'
import type { Evidence } from '../../model/evidence.ts'
import { RISK_RULE } from '../../pipeline/risk/risk-rule.ts'
import type { StateReader } from '../../state/read.ts'
import { Refused } from '../../util/errors.ts'
import { SideWork } from '../side-work.ts'
import type { BundleAsk } from './make.ts'

export interface BundleWorkDeps {
  readonly read: Pick<StateReader, 'evidence' | 'filesAt' | 'contentTexts'>
  /** The names of the content roots, in order. */
  readonly roots: () => readonly string[]
}

/** Makes bundles in a separate thread, one at a time. */
export class BundleWork {
  readonly #deps: BundleWorkDeps
  readonly #work = new SideWork<BundleAsk, Uint8Array>({
    entry: 'engine/bundles/bundle-thread',
    name: 'caracal-bundle',
    makes: 'bundles',
  })

  constructor(deps: BundleWorkDeps) {
    this.#deps = deps
  }

  /** Rejects with `Refused` if the alert has no evidence or its content is gone, with `RetryLater` if too many calls wait. */
  make(alert: StoredAlert): Promise<Uint8Array> {
    return this.#work.run(async () => {
      const evidence = await this.#deps.read.evidence(alert.alertId)
      const [first] = evidence
      if (!first || alert.ruleId === RISK_RULE.id) throw new Refused(`alert ${alert.alertId} cannot be bundled: ${whyNot(alert)}`)
      return { alert, evidence, ...(await this.#contentOf(first)) }
    })
  }

  /** The YAML and Python files that were in force for a match. */
  async #contentOf({ generation }: Evidence): Promise<Pick<BundleAsk, 'files' | 'roots'>> {
    const { read, roots } = this.#deps
    const known = await read.filesAt(generation)
    if (!known)
      throw new Refused(
        `the content that decided, generation ${generation}, is no longer stored: the history has the last ${MAX_GENERATIONS} generations, or fewer if they are large`,
      )
    const files = known.filter(({ path }) => /\.(?:ya?ml|py)$/.test(path))
    const texts = await read.contentTexts(files.map(({ hash }) => hash))
    const order = orderOf(roots(), new Set(files.map(({ root }) => root)))
    const named = files.flatMap(({ root, path, hash }) => {
      const text = texts.get(hash)
      return text ? [[`${order.indexOf(root) + 1}/${path}`, text] as const] : []
    })
    return { files: new Map(named), roots: order }
  }
}

/** The roots that had content then. One that is no longer configured comes after the shipped packs and before the others. */
function orderOf([shipped, ...others]: readonly string[], used: ReadonlySet<string>): string[] {
  const gone = [...used].filter((name) => name !== shipped && !others.includes(name)).sort()
  return [shipped!, ...gone, ...others].filter((name) => used.has(name))
}

function whyNot({ body, ruleId }: StoredAlert): string {
  if (body.type === 'SYSTEM') return 'it is about Caracal itself, so no rule has decided it'
  if (isRuleError(body.type))
    return `it is about a rule that failed: \`caracal explain ${ruleId} EVENT\` shows where, with the p_row_id of one of its events`
  if (ruleId === RISK_RULE.id)
    return 'the risk of an entity adds up matches of other rules over time: bundle the alerts of those rules'
  if (body.logTypes.length === 0)
    return 'a correlation rule judges matches of other rules over time, which one file cannot hold: bundle the alerts of those rules'
  return 'no evidence of it is stored, because an earlier version raised it, or because newer evidence needed the room'
}

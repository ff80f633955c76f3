import { type CorrelationRule, pairKey, type Signal } from './rule.ts'

/**
 * Finds a rule's matches by brute force: for each signal, in the rule's order, it tries every choice of earlier signals. Only
 * supports rules whose members are all joined on `user` (a text) and that do not use a rule in two steps.
 */
export function oracle(rule: CorrelationRule, signals: readonly Signal[]): string[] {
  const matches: { timeMs: number; name: string }[] = []
  for (const user of new Set(signals.map(({ fields }) => String(fields['user'])))) {
    let open = [...new Map(signals.filter(({ fields }) => fields['user'] === user).map((s) => [s.rowId, s])).values()].sort(
      inOrder,
    )
    const find = () =>
      open.flatMap((last, at) => {
        const startMs = memberOf(last).isAbsent ? undefined : startOf(open, open.slice(0, at + 1), last)
        return startMs === undefined ? [] : [{ last, at, startMs }]
      })
    const tell = ({ last }: { readonly last: Signal }) => matches.push({ timeMs: last.timeMs, name: `${user} ${last.rowId}` })
    if (rule.isReverse) {
      let endMs = Number.POSITIVE_INFINITY
      for (const match of find().reverse()) {
        if (match.last.timeMs >= endMs) continue
        tell(match)
        endMs = match.startMs
      }
    } else {
      for (let [match] = find(); match; [match] = find()) {
        tell(match)
        open = open.slice(match.at + 1)
      }
    }
  }
  return matches.sort((a, b) => a.timeMs - b.timeMs || (a.name < b.name ? -1 : 1)).map(({ name }) => name)

  function memberOf({ ruleId }: Signal) {
    return rule.members.find((member) => member.ruleId === ruleId)!
  }

  function inOrder(a: Signal, b: Signal): number {
    const [x, y] = [a, b].map((s) => rule.members.indexOf(memberOf(s))) as [number, number]
    return a.timeMs - b.timeMs || x - y || (a.rowId < b.rowId ? -1 : 1)
  }

  /**
   * When the match that ends with the last of some signals begins, using the choice of signals that begins latest, if there is
   * one.
   */
  function startOf(all: readonly Signal[], until: readonly Signal[], last: Signal): number | undefined {
    return rule.pattern.kind === 'group' ? groupStart(rule.pattern.needed, all, until, last) : sequenceStart(all, until, last)
  }

  function timesOf(list: readonly Signal[], ruleId: string, fromMs: number, toMs: number): number[] {
    return list.filter((s) => s.ruleId === ruleId && s.timeMs >= fromMs && s.timeMs <= toMs).map(({ timeMs }) => timeMs)
  }

  function groupStart(needed: number, all: readonly Signal[], until: readonly Signal[], last: Signal): number | undefined {
    const fromMs = last.timeMs - rule.lookbackMs
    const starts = rule.members.flatMap(({ ruleId, min, isAbsent }) => {
      const times = isAbsent ? [] : timesOf(until, ruleId, fromMs, last.timeMs)
      return times.length >= min ? [{ ruleId, startMs: times.at(-min)! }] : []
    })
    // The shortest of all sufficient choices of members that include the last signal.
    const firsts = subsets(starts)
      .filter((choice) => choice.length === needed && choice.some(({ ruleId }) => ruleId === last.ruleId))
      .map((choice) => Math.min(...choice.map(({ startMs }) => startMs)))
    if (firsts.length === 0) return undefined
    const toMs = Math.max(...firsts) + rule.lookbackMs
    const isFree = rule.members.every(({ ruleId, isAbsent, min, max }) => {
      const count = timesOf(all, ruleId, fromMs, toMs).length
      return isAbsent ? count < min : count <= (max ?? Number.POSITIVE_INFINITY)
    })
    return isFree ? Math.max(...firsts) : undefined
  }

  function sequenceStart(all: readonly Signal[], until: readonly Signal[], last: Signal): number | undefined {
    const { members, lookbackMs, pattern } = rule
    const steps = members.flatMap(({ isAbsent }, at) => (isAbsent ? [] : [at]))
    if (members[steps.at(-1)!]!.ruleId !== last.ruleId) return undefined
    const limit = (from: number, to: number) =>
      Math.min(lookbackMs, (pattern.kind === 'sequence' ? pattern.within.get(pairKey(from, to)) : undefined) ?? lookbackMs)
    const isFree = (at: number, fromMs: number, toMs: number) =>
      timesOf(all, members[at]!.ruleId, fromMs, toMs).length < members[at]!.min
    const isFreeFrom = (from: number, to: number, of: (at: number) => readonly [number, number]) =>
      members.every((_, at) => at <= from || at >= to || isFree(at, ...of(at)))

    // The latest beginning among all ways to complete the steps up to `step` with its last signal at index `at` of `until`.
    const reach = (place: number, at: number): number | undefined => {
      const step = steps[place]!
      const doneMs = until[at]!.timeMs
      const run = until
        .slice(0, at + 1)
        .filter(({ ruleId }) => ruleId === members[step]!.ruleId)
        .slice(-members[step]!.min)
      if (run.length < members[step]!.min) return undefined
      const runMs = run[0]!.timeMs
      if (place === 0) {
        const isFirst =
          runMs >= last.timeMs - lookbackMs && isFreeFrom(-1, step, (absent) => [doneMs - limit(absent, step), runMs])
        return isFirst ? runMs : undefined
      }
      const before = steps[place - 1]!
      const starts = until.flatMap((other, i) => {
        if (other.ruleId !== members[before]!.ruleId || other.timeMs > runMs || doneMs - other.timeMs > limit(before, step))
          return []
        const between = (absent: number) =>
          [Math.max(other.timeMs, doneMs - limit(absent, step)), Math.min(runMs, other.timeMs + limit(before, absent))] as const
        return isFreeFrom(before, step, between) ? (reach(place - 1, i) ?? []) : []
      })
      return starts.length > 0 ? Math.max(...starts) : undefined
    }
    const isNotTooOften = members.every(
      ({ max, ruleId }) =>
        timesOf(all, ruleId, last.timeMs - lookbackMs, last.timeMs).length <= (max ?? Number.POSITIVE_INFINITY),
    )
    const isFreeAfter = isFreeFrom(steps.at(-1)!, members.length, (absent) => [
      last.timeMs,
      last.timeMs + limit(steps.at(-1)!, absent),
    ])
    return isNotTooOften && isFreeAfter ? reach(steps.length - 1, until.length - 1) : undefined
  }
}

function subsets<T>(list: readonly T[]): T[][] {
  return Array.from({ length: 2 ** list.length }, (_, mask) => list.filter((_item, at) => mask & (2 ** at)))
}

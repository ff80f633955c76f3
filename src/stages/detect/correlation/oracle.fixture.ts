import { type CorrelationRule, pairKey, type Signal } from './rule.ts'

/**
 * What a rule matches, found by trying everything: for each signal in order of time every choice of signals before it. Knows
 * rules whose members are all joined on `user` (a text), and none that stand in two steps.
 */
export function oracle(rule: CorrelationRule, signals: readonly Signal[]): string[] {
  const matches: { timeMs: number; name: string }[] = []
  for (const user of new Set(signals.map(({ fields }) => String(fields['user'])))) {
    let open = [...new Map(signals.filter(({ fields }) => fields['user'] === user).map((s) => [s.rowId, s])).values()].sort(
      inOrder,
    )
    for (let at = 0; at < open.length; at++) {
      const last = open[at]!
      if (memberOf(last).isAbsent || !holds(open, open.slice(0, at + 1), last)) continue
      matches.push({ timeMs: last.timeMs, name: `${user} ${last.rowId}` })
      open = open.slice(at + 1)
      at = -1
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

  function holds(all: readonly Signal[], until: readonly Signal[], last: Signal): boolean {
    return rule.pattern.kind === 'group' ? groupHolds(rule.pattern.needed, all, until, last) : sequenceHolds(all, until, last)
  }

  function timesOf(list: readonly Signal[], ruleId: string, fromMs: number, toMs: number): number[] {
    return list.filter((s) => s.ruleId === ruleId && s.timeMs >= fromMs && s.timeMs <= toMs).map(({ timeMs }) => timeMs)
  }

  function groupHolds(needed: number, all: readonly Signal[], until: readonly Signal[], last: Signal): boolean {
    const fromMs = last.timeMs - rule.lookbackMs
    const starts = rule.members.flatMap(({ ruleId, min, isAbsent }) => {
      const times = isAbsent ? [] : timesOf(until, ruleId, fromMs, last.timeMs)
      return times.length >= min ? [{ ruleId, startMs: times.at(-min)! }] : []
    })
    // Of all choices of members that are enough, and of which the last signal is one, the shortest.
    const firsts = subsets(starts)
      .filter((choice) => choice.length === needed && choice.some(({ ruleId }) => ruleId === last.ruleId))
      .map((choice) => Math.min(...choice.map(({ startMs }) => startMs)))
    if (firsts.length === 0) return false
    const toMs = Math.max(...firsts) + rule.lookbackMs
    return rule.members.every(({ ruleId, isAbsent, min, max }) => {
      const count = timesOf(all, ruleId, fromMs, toMs).length
      return isAbsent ? count < min : count <= (max ?? Number.POSITIVE_INFINITY)
    })
  }

  function sequenceHolds(all: readonly Signal[], until: readonly Signal[], last: Signal): boolean {
    const { members, lookbackMs, pattern } = rule
    const steps = members.flatMap(({ isAbsent }, at) => (isAbsent ? [] : [at]))
    if (members[steps.at(-1)!]!.ruleId !== last.ruleId) return false
    const limit = (from: number, to: number) =>
      Math.min(lookbackMs, (pattern.kind === 'sequence' ? pattern.within.get(pairKey(from, to)) : undefined) ?? lookbackMs)
    const isFree = (at: number, fromMs: number, toMs: number) =>
      timesOf(all, members[at]!.ruleId, fromMs, toMs).length < members[at]!.min
    const isFreeFrom = (from: number, to: number, of: (at: number) => readonly [number, number]) =>
      members.every((_, at) => at <= from || at >= to || isFree(at, ...of(at)))

    // All ways to do the steps up to `step` with its last signal at index `at` of `until`.
    const canReach = (place: number, at: number): boolean => {
      const step = steps[place]!
      const doneMs = until[at]!.timeMs
      const run = until
        .slice(0, at + 1)
        .filter(({ ruleId }) => ruleId === members[step]!.ruleId)
        .slice(-members[step]!.min)
      if (run.length < members[step]!.min) return false
      const runMs = run[0]!.timeMs
      if (place === 0) {
        return runMs >= last.timeMs - lookbackMs && isFreeFrom(-1, step, (absent) => [doneMs - limit(absent, step), runMs])
      }
      const before = steps[place - 1]!
      return until.some((other, i) => {
        if (other.ruleId !== members[before]!.ruleId || other.timeMs > runMs || doneMs - other.timeMs > limit(before, step))
          return false
        const between = (absent: number) =>
          [Math.max(other.timeMs, doneMs - limit(absent, step)), Math.min(runMs, other.timeMs + limit(before, absent))] as const
        return isFreeFrom(before, step, between) && canReach(place - 1, i)
      })
    }
    return (
      members.every(
        ({ max, ruleId }) =>
          timesOf(all, ruleId, last.timeMs - lookbackMs, last.timeMs).length <= (max ?? Number.POSITIVE_INFINITY),
      ) &&
      canReach(steps.length - 1, until.length - 1) &&
      isFreeFrom(steps.at(-1)!, members.length, (absent) => [last.timeMs, last.timeMs + limit(steps.at(-1)!, absent)])
    )
  }
}

function subsets<T>(list: readonly T[]): T[][] {
  return Array.from({ length: 2 ** list.length }, (_, mask) => list.filter((_item, at) => mask & (2 ** at)))
}

import { compileField } from '../../../model/condition/path.ts'
import { ConfigError } from '../../../util/errors.ts'
import { parseKeyPath } from '../simple/key-path.ts'
import type { MemberDocument } from './document.ts'
import type { JoinField, Member } from './rule.ts'

/** The position of a mistake, from a path inside the detection. */
export type Where = (path: string) => { readonly file: string; readonly path: string }

/** The members without their joins. Throws if two have the same id, or if numbers contradict each other. */
export function readMembers(list: readonly MemberDocument[], key: string, where: Where): Omit<Member, 'fields'>[] {
  const seen = new Set<string>()
  const members = list.map((item, at) => {
    const id = item.ID ?? item.RuleID
    if (seen.has(id))
      throw new ConfigError(`two members have the ID '${id}': give one of them another ID`, where(`${key}.${at}.ID`))
    seen.add(id)
    const min = item.MinMatchCount ?? 1
    const max = item.MaxMatchCount
    if (max !== undefined && item.Absence) {
      throw new ConfigError(
        'a member with Absence must not occur, so it can have no MaxMatchCount: remove one of them',
        where(`${key}.${at}.MaxMatchCount`),
      )
    }
    if (max !== undefined && max < min) {
      throw new ConfigError(
        `MaxMatchCount ${max} is less than MinMatchCount ${min}: nothing could match`,
        where(`${key}.${at}.MaxMatchCount`),
      )
    }
    return { id, ruleId: item.RuleID, min, max, isAbsent: item.Absence }
  })
  if (members.every(({ isAbsent }) => isAbsent)) {
    throw new ConfigError('all members have Absence: at least one must occur, or nothing would start a match', where(key))
  }
  return members
}

export function readField(path: string, where: { readonly file: string; readonly path: string }): JoinField {
  const segments = parseKeyPath(path)
  if (typeof segments === 'string') throw new ConfigError(`the field '${path}' ${segments}`, where)
  return { path, reader: compileField({ kind: 'path', segments }) }
}

import { type Examination, failed, ok, skipped, warning } from './examination.ts'

/** Files, sockets and pipes that Caracal has open on a quiet day, with room for the lake's parts. */
const NEEDED = 1024
/** Enough for a thousand connections and a large lake. */
const COMFORTABLE = 8192

/** Checks how many files a process may open. `undefined`: the limit is not known. */
export function openFilesExamination(limit: number | 'unlimited' | undefined): Examination {
  return {
    name: 'open files',
    run() {
      if (limit === undefined) return skipped('the limit of this system is not known')
      if (limit === 'unlimited' || limit >= COMFORTABLE) return ok(`limit ${limit}`)
      const advice = `raise it to ${COMFORTABLE}: LimitNOFILE= in the unit, or \`ulimit -n ${COMFORTABLE}\` before the start`
      const message = `a process may open ${limit} files`
      return limit < NEEDED ? failed(message, advice) : warning(message, advice)
    },
  }
}

/** The limit that applies to this process. */
export function openFilesLimit(): number | 'unlimited' | undefined {
  const report = process.report.getReport() as { userLimits?: { open_files?: { hard?: number | 'unlimited' } } }
  // Node raises the soft limit to the hard one when it starts.
  return report.userLimits?.open_files?.hard
}

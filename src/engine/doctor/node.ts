import { type Examination, failed, ok, warning } from './examination.ts'

/** The oldest version that Caracal runs on, as in package.json. */
const OLDEST = [20, 19] as const
/** From this major version on, releases with an even number get security fixes. */
const MAINTAINED = 22

/** Checks the version of Node, such as `24.1.0`. */
export function nodeExamination(version: string): Examination {
  return {
    name: 'Node',
    run() {
      const [major = 0, minor = 0] = version.split('.').map(Number)
      const advice = `install Node ${MAINTAINED} or later`
      if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]))
        return failed(`version ${version}; Caracal needs ${OLDEST.join('.')} or later`, advice)
      if (major < MAINTAINED) return warning(`version ${version}, which no longer gets security fixes`, advice)
      return ok(`version ${version}`)
    },
  }
}

import { homedir, tmpdir } from 'node:os'

/** What stands in for a path. */
const HIDDEN = '[path]'

/** Addresses of the product's own API look like paths and are none of this machine's. */
const OWN = /^\/(?:api|ingest|healthz|metrics)(?=[/?]|$)/

const QUOTED = /(['"`])(?:file:\/\/)?(?:\/|[A-Za-z]:[\\/])[^'"`\n]+\1/g
const FILE_URL = /\bfile:\/\/\S+/g
const BARE = /(?<![\w/.~%-])(?:\/[^\s/'"`()<>[\]{},;:|=]+){2,}\/?|\b[A-Za-z]:[\\/][^\s'"`()<>[\]{},;|]+/g

/**
 * A text of the engine, the file system or anything else that may name files of this machine, for someone who need not know them:
 * absolute paths become `[path]`. Those of `roots` and of the folders that the process itself uses are found whatever
 * characters their names have.
 */
export function withoutHostPaths(text: string, roots: readonly string[] = []): string {
  const known = [...roots, process.cwd(), homedir(), tmpdir()].filter((root) => root.length > 1)
  return known
    .sort((a, b) => b.length - a.length)
    .reduce((out, root) => out.replaceAll(root, '/known/root'), text)
    .replace(QUOTED, (found, quote: string) => (OWN.test(found.slice(1, -1)) ? found : `${quote}${HIDDEN}${quote}`))
    .replace(FILE_URL, HIDDEN)
    .replace(BARE, (found) => (OWN.test(found) ? found : HIDDEN))
}

/** Names files below `roots` (absolute folders) from their root. Other paths stay: they may be what a text is about. */
export function fromRoots(roots: readonly string[]): (text: string) => string {
  const patterns = roots
    .filter((root) => root.length > 1)
    .sort((a, b) => b.length - a.length)
    .map((root) => new RegExp(`(?<![\\w./\\\\-])${root.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}[/\\\\]`, 'g'))
  return (text) => patterns.reduce((out, pattern) => out.replace(pattern, ''), text)
}

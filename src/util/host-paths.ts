import { homedir, tmpdir } from 'node:os'

/** Replaces a path. */
const HIDDEN = '[path]'

/** URLs of our own API look like paths but are not paths on this machine. */
const OWN = /^\/(?:api|ingest|healthz|metrics)(?=[/?]|$)/

const QUOTED = /(['"`])(?:file:\/\/)?(?:\/|[A-Za-z]:[\\/])[^'"`\n]+\1/g
const FILE_URL = /\bfile:\/\/\S+/g
const BARE = /(?<![\w/.~%-])(?:\/[^\s/'"`()<>[\]{},;:|=]+){2,}\/?|\b[A-Za-z]:[\\/][^\s'"`()<>[\]{},;|]+/g

/**
 * Hides file names in a text that comes from the engine, the file system or elsewhere: absolute paths become `[path]`. Paths
 * below `roots` and the process's own folders are found whatever characters their names contain.
 */
export function withoutHostPaths(text: string, roots: readonly string[] = []): string {
  const known = [...roots, process.cwd(), homedir(), tmpdir()].filter((root) => root.length > 1)
  return known
    .sort((a, b) => b.length - a.length)
    .reduce(
      (out, root) => out.replace(new RegExp(`(?<!\\w)${escaped(root.replace(/[/\\\\]+$/, ''))}(?!\\w)`, 'g'), '/known/root'),
      text,
    )
    .replace(QUOTED, (found, quote: string) => (OWN.test(found.slice(1, -1)) ? found : `${quote}${HIDDEN}${quote}`))
    .replace(FILE_URL, HIDDEN)
    .replace(BARE, (found) => (OWN.test(found) ? found : HIDDEN))
}

/** Shows files below `roots` (absolute folders) relative to their root. Other paths stay, since the text may be about them. */
export function fromRoots(roots: readonly string[]): (text: string) => string {
  const patterns = roots
    .filter((root) => root.length > 1)
    .sort((a, b) => b.length - a.length)
    .map((root) => new RegExp(`(?<![\\w./\\\\-])${escaped(root)}[/\\\\]`, 'g'))
  return (text) => patterns.reduce((out, pattern) => out.replace(pattern, ''), text)
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}

/** The longest name that file systems store. */
const MAX_NAME_BYTES = 255
const MAX_PATH_CHARS = 500
const MAX_DEPTH = 20

/** Folders that no content is read from (`src/packs/scan.ts`). */
const UNREAD = /^templates\/|(?:^|\/)(?:samples|node_modules|__pycache__)\//

/**
 * Why a path cannot be that of a content file below its root; `undefined`: it can. Nothing hidden, nothing outside, no control characters,
 * and no half of a surrogate pair, which no file system can store.
 */
export function pathFault(path: string, endings: readonly string[]): string | undefined {
  const names = path.split('/')
  if (path.length > MAX_PATH_CHARS || names.length > MAX_DEPTH)
    return `longer than ${MAX_PATH_CHARS} characters or deeper than ${MAX_DEPTH} folders`
  if (!names.every((name) => /^[^/\\\p{Cc}\p{Cs}.][^/\\\p{Cc}\p{Cs}]*$/u.test(name)))
    return 'not a relative path inside the content folder, without `..`, hidden names and backslashes'
  if (!names.every((name) => Buffer.byteLength(name) <= MAX_NAME_BYTES)) return `a name is longer than ${MAX_NAME_BYTES} bytes`
  if (!endings.some((ending) => path.endsWith(ending))) return `the name must end in ${endings.join(' or ')}`
  if (UNREAD.test(path)) return 'content is not read from that folder'
  return undefined
}

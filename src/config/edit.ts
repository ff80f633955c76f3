import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync, realpathSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { type Document, isMap, isScalar, isSeq, type Node, parseDocument, type Scalar } from 'yaml'
import { ConfigError, messageOf } from '../util/errors.ts'

/** A list of pack ids in the configuration. */
export type PackKey = 'disabled_packs' | 'enabled_packs'

/**
 * Adds a pack to a list of a configuration file or removes it, keeping comments. Creates the file if it does not exist. Throws `ConfigError`. `loadConfig` must be able to read the file.
 */
export function setPack(file: string, key: PackKey, id: string, isListed: boolean): void {
  try {
    const path = existsSync(file) ? realpathSync(file) : file
    const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
    // Renamed into place, so that no reader sees half a file.
    const draft = `${path}.${randomUUID()}`
    writeFileSync(draft, withPack(text, key, id, isListed), existsSync(path) ? { mode: statSync(path).mode } : {})
    renameSync(draft, path)
  } catch (error) {
    throw new ConfigError(`the configuration cannot be written: ${messageOf(error)}`, { file }, { cause: error })
  }
}

/** The text of a configuration with a pack added to a list, or removed from it. */
export function withPack(text: string, key: PackKey, id: string, isListed: boolean): string {
  return withKey(text, key, (document) => edit(document, key, id, isListed))
}

/** The text of a configuration after a change of one top-level key. Comments and everything else stay as they are written. */
export function withKey(text: string, key: string, change: (document: Document) => void): string {
  const document = parseDocument(text)
  change(document)
  const least = withLeastChange(text, key, (part) => {
    const small = parseDocument(part)
    // Names of anchors may be defined in other keys.
    if (small.errors.length > 0) return part
    const base = written(small, part || text)
    change(small)
    return withOwnLines(part, base, written(small, part || text))
  })
  const check = parseDocument(least)
  const isSame = check.errors.length === 0 && isDeepStrictEqual(check.toJS(), document.toJS())
  return isSame ? least : written(document, text)
}

/** Changes only the lines of the key, or appends them. The caller checks that the result has the intended meaning. */
function withLeastChange(text: string, name: string, change: (part: string) => string): string {
  const { contents } = parseDocument(text)
  const pair = isMap(contents) ? contents.items.find(({ key }) => isScalar(key) && key.value === name) : undefined
  const start = (pair?.key as Scalar | undefined)?.range?.[0]
  if (start === undefined) return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${change('')}`
  const end = (pair?.value as Node | null | undefined)?.range?.[2] ?? start
  const part = text.slice(start, end)
  const changed = change(part)
  return text.slice(0, start) + (part.endsWith('\n') || end === text.length ? changed : changed.trimEnd()) + text.slice(end)
}

function edit(document: Document, key: PackKey, id: string, isListed: boolean): void {
  const list = document.get(key)
  if (!isSeq(list)) {
    if (isListed) document.set(key, [id])
  } else if (isListed) list.add(document.createNode(id))
  // An empty list stays, since the key may have comments.
  else list.items = list.items.filter((item) => !isScalar(item) || item.value !== id)
}

/** The document in the style of the original text, as far as we can recognise it. */
export function written(document: Document, text: string): string {
  const result = document.toString({
    lineWidth: 0,
    indentSeq: !/^[\w-]+:[ \t]*(?:#.*)?\r?\n- /m.test(text),
    flowCollectionPadding: !/[[{][^\s\]}]/.test(text) || /[[{] /.test(text),
    ...(text.trimStart().startsWith('{') && { defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'QUOTE_DOUBLE' }),
  })
  return text.includes('\r\n') ? result.replaceAll(/\r?\n/g, '\r\n') : result
}

/** The changed text with the lines of the original around the change, if writing it again did not move lines. */
export function withOwnLines(text: string, base: string, changed: string): string {
  const [own, before, after] = [text, base, changed].map((one) => one.split('\n')) as [string[], string[], string[]]
  if (own.length !== before.length) return changed
  const most = Math.min(before.length, after.length)
  let head = 0
  while (head < most && before[head] === after[head]) head++
  let tail = 0
  while (tail < most - head && before.at(-1 - tail) === after.at(-1 - tail)) tail++
  return [...own.slice(0, head), ...after.slice(head, after.length - tail), ...own.slice(own.length - tail)].join('\n')
}

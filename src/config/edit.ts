import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync, realpathSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { type Document, isMap, isScalar, isSeq, type Node, parseDocument, type Scalar } from 'yaml'
import { ConfigError, messageOf } from '../util/errors.ts'

const KEY = 'disabled_packs'

/**
 * Adds a pack to the `disabled_packs` list of a configuration file or removes it, keeping comments. Creates the file if it does
 * not exist. Throws `ConfigError`. `loadConfig` must be able to read the file.
 */
export function setPackOff(file: string, id: string, isOff: boolean): void {
  try {
    const path = existsSync(file) ? realpathSync(file) : file
    const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
    // Renamed into place, so that no reader sees half a file.
    const draft = `${path}.${randomUUID()}`
    writeFileSync(draft, withPackOff(text, id, isOff), existsSync(path) ? { mode: statSync(path).mode } : {})
    renameSync(draft, path)
  } catch (error) {
    throw new ConfigError(`the configuration cannot be written: ${messageOf(error)}`, { file }, { cause: error })
  }
}

/** The text of a configuration with a pack added to `disabled_packs`, or removed from it. */
export function withPackOff(text: string, id: string, isOff: boolean): string {
  const document = parseDocument(text)
  edit(document, id, isOff)
  const least = withLeastChange(text, (part) => {
    const small = parseDocument(part)
    edit(small, id, isOff)
    return written(small, part || text)
  })
  const check = parseDocument(least)
  const isSame = check.errors.length === 0 && isDeepStrictEqual(check.toJS(), document.toJS())
  return isSame ? least : written(document, text)
}

/** Changes only the lines of the key, or appends them. The caller checks that the result has the intended meaning. */
function withLeastChange(text: string, change: (part: string) => string): string {
  const { contents } = parseDocument(text)
  const pair = isMap(contents) ? contents.items.find(({ key }) => isScalar(key) && key.value === KEY) : undefined
  const start = (pair?.key as Scalar | undefined)?.range?.[0]
  if (start === undefined) return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${change('')}`
  const end = (pair?.value as Node | null | undefined)?.range?.[2] ?? start
  const part = text.slice(start, end)
  const changed = change(part)
  return text.slice(0, start) + (part.endsWith('\n') || end === text.length ? changed : changed.trimEnd()) + text.slice(end)
}

function edit(document: Document, id: string, isOff: boolean): void {
  const list = document.get(KEY)
  if (!isSeq(list)) {
    if (isOff) document.set(KEY, [id])
  } else if (isOff) list.add(document.createNode(id))
  // An empty list stays, since the key may have comments.
  else list.items = list.items.filter((item) => !isScalar(item) || item.value !== id)
}

/** The document in the style of the original text, as far as we can recognise it. */
function written(document: Document, text: string): string {
  const result = document.toString({
    lineWidth: 0,
    indentSeq: !/^[\w-]+:[ \t]*(?:#.*)?\r?\n- /m.test(text),
    flowCollectionPadding: !/[[{][^\s\]}]/.test(text) || /[[{] /.test(text),
    ...(text.trimStart().startsWith('{') && { defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'QUOTE_DOUBLE' }),
  })
  return text.includes('\r\n') ? result.replaceAll(/\r?\n/g, '\r\n') : result
}

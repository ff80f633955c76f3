import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from 'vite'

const ROOT = join(import.meta.dirname, '..')
const FOLDERS = ['docs', 'docs/decisions']
const MAX_SUMMARY = 180

/** The title of a document, and its first words. */
export interface DocumentEntry {
  /** Name of the file without its extension. */
  readonly name: string
  readonly title: string
  readonly summary: string
  readonly isDecision: boolean
}

/**
 * The modules `virtual:documents`, the list of documents in the order in which README.md mentions them, and `virtual:document-texts`, their
 * texts by name. Neither is part of the other, since the texts are only needed to search them.
 */
export function documents(): Plugin {
  return {
    name: 'documents',
    resolveId: (id) => (id === 'virtual:documents' || id === 'virtual:document-texts' ? `\0${id}` : null),
    load: (id) => {
      if (id === '\0virtual:documents') return `export default ${JSON.stringify(textsOf().map(entryOf))}`
      if (id === '\0virtual:document-texts')
        return `export default ${JSON.stringify(Object.fromEntries(textsOf().map(({ name, text }) => [name, text])))}`
      return null
    },
  }
}

interface DocumentText {
  readonly name: string
  readonly text: string
  readonly isDecision: boolean
}

function textsOf(): DocumentText[] {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
  const place = (name: string) => {
    const at = readme.indexOf(`(docs/${name}.md)`)
    return at < 0 ? readme.length : at
  }
  return FOLDERS.filter((folder) => existsSync(join(ROOT, folder))).flatMap((folder) =>
    readdirSync(join(ROOT, folder))
      .filter((file) => file.endsWith('.md'))
      .map((file) => file.slice(0, -3))
      .sort((a, b) => place(a) - place(b) || (a < b ? -1 : 1))
      .map((name) => ({
        name,
        text: readFileSync(join(ROOT, folder, `${name}.md`), 'utf8'),
        isDecision: folder.endsWith('decisions'),
      })),
  )
}

function entryOf({ name, text, isDecision }: DocumentText): DocumentEntry {
  const [, title = name] = /^# (.+)$/m.exec(text) ?? []
  const paragraph = text
    .replace(/^# .+$/m, '')
    .split(/\n\s*\n/)
    .map((part) => part.trimEnd())
    .find((part) => /^[\p{L}`*[]/u.test(part) && /[.:]$/.test(part))
  return { name, title: plain(title), summary: shortened(plain(paragraph ?? '')), isDecision }
}

/** Without the marks of Markdown. */
function plain(text: string): string {
  return text
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/[`*]/g, '')
    .replace(/\s+/g, ' ')
}

function shortened(text: string): string {
  return text.length <= MAX_SUMMARY ? text : `${text.slice(0, text.lastIndexOf(' ', MAX_SUMMARY))} …`
}

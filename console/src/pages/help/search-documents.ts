import type { DocumentEntry } from '../../../documents.ts'

export interface FoundDocument {
  readonly name: string
  readonly title: string
  /** The text around the first word. */
  readonly excerpt: string
}

const AROUND = 90

/** Documents that contain every word, in any case: first those with most of them in the title, then those that repeat them most. */
export function searchDocuments(
  documents: readonly DocumentEntry[],
  texts: Readonly<Record<string, string>>,
  asked: string,
): FoundDocument[] {
  const words = asked.toLowerCase().split(/\s+/)
  return documents
    .flatMap(({ name, title }) => {
      const text = texts[name] ?? ''
      const lower = text.toLowerCase()
      if (!words.every((word) => lower.includes(word))) return []
      const inTitle = words.filter((word) => title.toLowerCase().includes(word)).length
      const times = words.reduce((sum, word) => sum + lower.split(word).length - 1, 0)
      return [{ name, title, excerpt: excerptOf(text, lower.indexOf(words[0]!)), rank: inTitle * 1000 + Math.min(999, times) }]
    })
    .sort((a, b) => b.rank - a.rank)
    .map(({ name, title, excerpt }) => ({ name, title, excerpt }))
}

function excerptOf(text: string, at: number): string {
  const part = text.slice(Math.max(0, at - AROUND), at + AROUND).replace(/\s+/g, ' ')
  return `${at > AROUND ? '… ' : ''}${part.trim()} …`
}

import documents from 'virtual:documents'
import { Anchor, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Empty } from '../../parts/empty.tsx'
import { Section } from '../../parts/section.tsx'
import classes from './help.module.css'
import { searchDocuments } from './search-documents.ts'

interface Line {
  readonly name: string
  readonly title: string
  readonly text: string
}

/** All documents, or those that contain every word. */
export function DocumentList({ words }: { readonly words: string }) {
  const asked = words.trim()
  const found = useQuery({
    queryKey: ['documents', asked],
    enabled: asked !== '',
    queryFn: async () => searchDocuments(documents, (await import('virtual:document-texts')).default, asked),
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: (before) => before,
  })
  if (asked !== '' && found.data) {
    if (found.data.length === 0) return <Empty title="No document contains this">Fewer or shorter words find more.</Empty>
    return <Lines lines={found.data.map(({ name, title, excerpt }) => ({ name, title, text: excerpt }))} />
  }
  const lines = (isDecision: boolean) =>
    documents.filter((one) => one.isDecision === isDecision).map(({ name, title, summary }) => ({ name, title, text: summary }))
  return (
    <>
      <Lines lines={lines(false)} />
      <Section title="Decisions: why Caracal is built as it is">
        <Lines lines={lines(true)} />
      </Section>
    </>
  )
}

function Lines({ lines }: { readonly lines: readonly Line[] }) {
  return (
    <ul className={classes['list']}>
      {lines.map(({ name, title, text }) => (
        <li key={name}>
          <Anchor fw={600} renderRoot={(props) => <Link to="/help/$name" params={{ name }} {...props} />}>
            {title}
          </Anchor>
          <Text size="sm" c="dimmed">
            {text}
          </Text>
        </li>
      ))}
    </ul>
  )
}

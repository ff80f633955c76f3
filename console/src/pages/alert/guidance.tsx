import { Anchor, List, Text } from '@mantine/core'
import type { AlertDetail } from '../../api/types.ts'
import { Section } from '../../parts/section.tsx'

/** What the rule's author says about it: what it means and what to do. */
export function Guidance({ alert: { description, runbook, reference, reports } }: { readonly alert: AlertDetail }) {
  const mapped = Object.entries(reports)
  if (description === '' && runbook === '' && reference === '' && mapped.length === 0) return null
  return (
    <Section title="About the rule">
      <Paragraphs text={description} />
      {runbook !== '' && (
        <>
          <Text fw={600} mt="xs">
            What to do
          </Text>
          <Paragraphs text={runbook} />
        </>
      )}
      {mapped.length > 0 && (
        <List size="sm" mt="xs" listStyleType="none">
          {mapped.flatMap(([name, entries]) =>
            entries.map((entry) => (
              <List.Item key={`${name} ${entry}`}>
                {name} <code>{entry}</code>
              </List.Item>
            )),
          )}
        </List>
      )}
      {/^https?:\/\//.test(reference) && (
        <Anchor href={reference} target="_blank" rel="noreferrer noopener" mt="xs" display="block">
          Reference
        </Anchor>
      )}
    </Section>
  )
}

function Paragraphs({ text }: { readonly text: string }) {
  return text
    .trim()
    .split(/\n\s*\n/)
    .filter((paragraph) => paragraph !== '')
    .map((paragraph) => (
      <Text key={paragraph} className="foreign" mb={4}>
        {paragraph}
      </Text>
    ))
}

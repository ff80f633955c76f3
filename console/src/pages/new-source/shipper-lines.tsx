import { Alert, Tabs, Text } from '@mantine/core'
import { CodeBlock } from '../../parts/code-block.tsx'
import { Section } from '../../parts/section.tsx'
import type { AddedSource } from './new-source.tsx'

/** For each program that can send to the source, the lines that it needs. */
export function ShipperLines({ added: { source, token, shippers } }: { readonly added: AddedSource }) {
  return (
    <Section title={`Send logs to ${source.id}`}>
      {token !== null && (
        <Alert color="gray" mb="sm" p="xs">
          The lines contain a token that may only send logs. It is shown this once: copy them now. Access lists it and can revoke
          it.
        </Alert>
      )}
      {shippers.length === 0 ? (
        <Text>The source receives.</Text>
      ) : (
        <Tabs defaultValue={shippers[0]!.name} keepMounted={false}>
          <Tabs.List>
            {shippers.map(({ name, title }) => (
              <Tabs.Tab key={name} value={name}>
                {title}
              </Tabs.Tab>
            ))}
          </Tabs.List>
          {shippers.map(({ name, file, text }) => (
            <Tabs.Panel key={name} value={name} pt="xs">
              {file !== null && (
                <Text c="dimmed" size="sm">
                  In <code>{file}</code>
                </Text>
              )}
              <CodeBlock text={text} />
            </Tabs.Panel>
          ))}
        </Tabs>
      )}
    </Section>
  )
}

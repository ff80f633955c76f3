import { Button, Code, CopyButton, Group, Modal, Stack, Text } from '@mantine/core'

interface OneTimeLinkProps {
  readonly link: string | undefined
  readonly name: string
  onClose(): void
}

/** The link by which a person sets a password; it is shown once. */
export function OneTimeLink({ link, name, onClose }: OneTimeLinkProps) {
  return (
    <Modal opened={link !== undefined} onClose={onClose} title={`Link for ${name}`} centered>
      <Stack>
        <Text>Send it to them. It works once, and this is the only time that it is shown.</Text>
        <Code block>{link}</Code>
        <Group justify="flex-end">
          <CopyButton value={link ?? ''}>
            {({ copied, copy }) => (
              <Button variant="default" onClick={copy}>
                {copied ? 'Copied' : 'Copy'}
              </Button>
            )}
          </CopyButton>
          <Button onClick={onClose}>Done</Button>
        </Group>
      </Stack>
    </Modal>
  )
}

import { Stack, Text, Title } from '@mantine/core'
import type { ReactNode } from 'react'

interface EmptyProps {
  readonly title: string
  /** 1 on a page without another heading. */
  readonly level?: 1 | 2
  /** What to do about it. */
  readonly children?: ReactNode
}

export function Empty({ title, level = 2, children }: EmptyProps) {
  return (
    <Stack align="center" gap={4} py={48} px="md" ta="center">
      <Title order={level} size="h4">
        {title}
      </Title>
      <Text c="dimmed" maw={560} component="div">
        {children}
      </Text>
    </Stack>
  )
}

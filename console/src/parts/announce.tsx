import { Button, Group } from '@mantine/core'
import { notifications } from '@mantine/notifications'

/** Says what was done, with a button that undoes it. */
export function announce(what: string, undo?: () => void): void {
  const id = crypto.randomUUID()
  notifications.show({
    id,
    autoClose: 8000,
    message: (
      <Group justify="space-between" wrap="nowrap">
        <span>{what}</span>
        {undo && (
          <Button
            size="compact-xs"
            variant="light"
            onClick={() => {
              notifications.hide(id)
              undo()
            }}
          >
            Undo
          </Button>
        )}
      </Group>
    ),
  })
}

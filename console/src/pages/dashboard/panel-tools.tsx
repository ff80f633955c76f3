import { ActionIcon, Group } from '@mantine/core'
import { ArrowLeftIcon, ArrowRightIcon, Pencil1Icon, TrashIcon } from '@radix-ui/react-icons'

interface PanelToolsProps {
  readonly title: string
  readonly isFirst: boolean
  readonly isLast: boolean
  onMove(by: -1 | 1): void
  onEdit(): void
  onRemove(): void
}

/** Moves, changes or removes a panel. */
export function PanelTools({ title, isFirst, isLast, onMove, onEdit, onRemove }: PanelToolsProps) {
  const tools = [
    { label: `Move ${title} to the front`, icon: ArrowLeftIcon, act: () => onMove(-1), isOff: isFirst },
    { label: `Move ${title} to the back`, icon: ArrowRightIcon, act: () => onMove(1), isOff: isLast },
    { label: `Change ${title}`, icon: Pencil1Icon, act: onEdit, isOff: false },
    { label: `Remove ${title}`, icon: TrashIcon, act: onRemove, isOff: false },
  ]
  return (
    <Group gap={2} wrap="nowrap">
      {tools.map(({ label, icon: Icon, act, isOff }) => (
        <ActionIcon
          key={label}
          size="sm"
          variant="subtle"
          color="gray"
          aria-label={label}
          title={label}
          disabled={isOff}
          onClick={act}
        >
          <Icon />
        </ActionIcon>
      ))}
    </Group>
  )
}

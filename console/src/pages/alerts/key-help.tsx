import { Kbd, Modal, Table } from '@mantine/core'
import { useState } from 'react'
import { useKeys } from '../../parts/keys.ts'

const KEYS = [
  ['j', 'next alert'],
  ['k', 'previous alert'],
  ['o', 'open the alert'],
  ['x', 'choose or leave the alert'],
  ['a', 'take the chosen alerts'],
  ['e', 'resolve the chosen alerts'],
  ['/', 'filter by text'],
  ['g', 'find an indicator in all logs'],
  ['?', 'this list'],
] as const

export function KeyHelp() {
  const [isOpen, setIsOpen] = useState(false)
  useKeys({ '?': () => setIsOpen(true) })
  return (
    <Modal opened={isOpen} onClose={() => setIsOpen(false)} title="Keys" centered>
      <Table>
        <Table.Tbody>
          {KEYS.map(([key, what]) => (
            <Table.Tr key={key}>
              <Table.Td w={48}>
                <Kbd>{key}</Kbd>
              </Table.Td>
              <Table.Td>{what}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Modal>
  )
}

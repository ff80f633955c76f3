import { Button, Menu } from '@mantine/core'
import { DownloadIcon } from '@radix-ui/react-icons'

const FORMATS = [
  { label: 'CSV', query: 'format=csv' },
  { label: 'CSV for spreadsheets', query: 'format=csv&for_spreadsheets=true' },
  { label: 'NDJSON', query: 'format=ndjson' },
  { label: 'Parquet', query: 'format=parquet' },
] as const

/** Downloads of a query's whole result. The browser writes them as they come, whatever their size. */
export function ExportMenu({ id }: { readonly id: string }) {
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button size="xs" variant="default" leftSection={<DownloadIcon />}>
          Export
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {FORMATS.map(({ label, query }) => (
          <Menu.Item key={label} component="a" href={`./api/v1/queries/${id}/export?${query}`} download>
            {label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}

import { Button, CopyButton, Group, Popover } from '@mantine/core'
import classes from './search-sql.module.css'

interface SearchSqlProps {
  /** Empty: no log type can have such events. */
  readonly sql: string
  onEdit(sql: string): void
}

/** The query that finds the same events, to read, to copy and to change. */
export function SearchSql({ sql, onEdit }: SearchSqlProps) {
  return (
    <Popover position="bottom-end" width="min(44rem, 90vw)" withinPortal trapFocus>
      <Popover.Target>
        <Button size="compact-xs" variant="subtle" disabled={sql === ''}>
          Show the SQL
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, which needs the focus. */}
        <pre className={`${classes['sql']} foreign`} tabIndex={0}>
          {sql}
        </pre>
        <Group gap="xs" mt="sm">
          <Button size="xs" onClick={() => onEdit(sql)}>
            Edit as SQL
          </Button>
          <CopyButton value={sql}>
            {({ copied, copy }) => (
              <Button size="xs" variant="default" onClick={copy}>
                {copied ? 'Copied' : 'Copy'}
              </Button>
            )}
          </CopyButton>
        </Group>
      </Popover.Dropdown>
    </Popover>
  )
}

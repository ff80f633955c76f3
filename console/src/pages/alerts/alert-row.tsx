import { type MouseEvent, memo } from 'react'
import type { Alert } from '../../api/types.ts'
import { counted, number } from '../../parts/number.ts'
import { label, SeverityMark } from '../../parts/severity.tsx'
import { When } from '../../parts/when.tsx'
import classes from './alert-row.module.css'

/** Pixels. Rows have one height, so that the list does not jump. */
export const ROW_HEIGHT = 54

interface AlertRowProps {
  readonly alert: Alert
  readonly index: number
  readonly top: number
  readonly href: string
  readonly isSelected: boolean
  onToggle(alertId: string): void
  onOpen(alertId: string): void
  onFocus(index: number): void
}

/** Made of plain elements, since scrolling makes dozens of rows for a frame: a link of the router costs as much as the rest of a row. */
export const AlertRow = memo(function AlertRow({
  alert,
  index,
  top,
  href,
  isSelected,
  onToggle,
  onOpen,
  onFocus,
}: AlertRowProps) {
  const { alert_id, severity, title, rule_name, status, owner, event_count, created_time, log_types } = alert
  return (
    <li
      className={classes['row']}
      data-index={index}
      data-selected={isSelected || undefined}
      data-status={status}
      style={{ transform: `translateY(${top}px)`, height: ROW_HEIGHT }}
      onFocus={() => onFocus(index)}
    >
      <input
        type="checkbox"
        className={classes['box']}
        checked={isSelected}
        onChange={() => onToggle(alert_id)}
        aria-label={`Select ${title}`}
      />
      <SeverityMark severity={severity} />
      <div className={classes['what']}>
        <a
          href={href}
          className={`${classes['title']} foreign`}
          onClick={(event) => {
            if (isForBrowser(event)) return
            event.preventDefault()
            onOpen(alert_id)
          }}
        >
          {title}
        </a>
        <span className={`${classes['rule']} foreign`}>
          <bdi>{rule_name || alert.rule_id}</bdi> · {log_types.join(', ') || label(alert.type)}
        </span>
      </div>
      <span className={classes['events']} title={counted(event_count, 'event')}>
        {number(event_count)}
      </span>
      <span className={classes['status']}>
        {label(status)}
        {owner !== null && <span className={`${classes['owner']} foreign`}>{owner}</span>}
      </span>
      <span className={classes['age']}>
        <When time={created_time} as="age" />
      </span>
    </li>
  )
})

/** A click that asks for a tab or a window of its own. */
function isForBrowser({ button, metaKey, ctrlKey, shiftKey, altKey }: MouseEvent): boolean {
  return button !== 0 || metaKey || ctrlKey || shiftKey || altKey
}

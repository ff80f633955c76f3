import { UnstyledButton } from '@mantine/core'
import { useState } from 'react'
import classes from './json-tree.module.css'

/** Most entries that are shown of a list or an object before asking. */
const FIRST = 100
/** Characters of a text that are shown before asking. */
const FIRST_CHARS = 1000
/** Deeper values are opened one by one. */
const OPEN_DEPTH = 3

interface JsonTreeProps {
  readonly value: unknown
  readonly depth?: number
}

/** A value of foreign data as text, however large or deep it is. */
export function JsonTree({ value, depth = 0 }: JsonTreeProps) {
  if (value === null || typeof value !== 'object') return <Leaf value={value} />
  const entries = Object.entries(value)
  if (entries.length === 0) return <span className={classes['dim']}>{Array.isArray(value) ? '[]' : '{}'}</span>
  return <Branch entries={entries} isList={Array.isArray(value)} depth={depth} />
}

interface BranchProps {
  readonly entries: readonly (readonly [string, unknown])[]
  readonly isList: boolean
  readonly depth: number
}

function Branch({ entries, isList, depth }: BranchProps) {
  const [open, setOpen] = useState(depth < OPEN_DEPTH)
  const [most, setMost] = useState(FIRST)
  if (!open)
    return (
      <UnstyledButton className={classes['more']!} onClick={() => setOpen(true)}>
        {isList ? `[ ${entries.length} values ]` : `{ ${entries.length} fields }`}
      </UnstyledButton>
    )
  return (
    <div className={classes['branch']} data-depth={depth}>
      {entries.slice(0, most).map(([name, value]) => (
        <div key={name} className={classes['entry']}>
          <span className={`${classes['name']} foreign`}>{isList ? '–' : name}</span>
          <div className={classes['value']}>
            <JsonTree value={value} depth={depth + 1} />
          </div>
        </div>
      ))}
      {entries.length > most && (
        <UnstyledButton className={classes['more']!} onClick={() => setMost(most + 1000)}>
          {entries.length - most} more
        </UnstyledButton>
      )}
    </div>
  )
}

function Leaf({ value }: { readonly value: unknown }) {
  const [all, setAll] = useState(false)
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
  const isLong = text.length > FIRST_CHARS
  return (
    <>
      <span className="foreign" data-kind={value === null ? 'null' : typeof value}>
        {isLong && !all ? text.slice(0, FIRST_CHARS) : text}
      </span>
      {isLong && !all && (
        <UnstyledButton className={classes['more']!} onClick={() => setAll(true)}>
          … all {text.length.toLocaleString()} characters
        </UnstyledButton>
      )}
    </>
  )
}

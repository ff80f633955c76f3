import { CheckCircledIcon, CrossCircledIcon } from '@radix-ui/react-icons'
import type { Answer } from '../../api/client.ts'
import classes from './explanation.module.css'

export type ExplanationAnswer = Answer<'POST /api/v1/explain'>
export type DecidedStep = ExplanationAnswer['decided'][number]

/** Each condition with its value, and the lines of code that decided. */
export function Explanation({ explanation }: { readonly explanation: ExplanationAnswer }) {
  const { checks, decided, notes, summary } = explanation
  return (
    <div className={classes['explanation']}>
      <p className={`${classes['summary']} foreign`}>{summary.charAt(0).toUpperCase() + summary.slice(1)}.</p>
      <ul className={classes['checks']}>
        {checks.map(({ what, passed, detail }) => (
          <li key={what} data-passed={passed}>
            {passed ? <CheckCircledIcon aria-label="held" /> : <CrossCircledIcon aria-label="did not hold" />}
            <span>
              <b>{what}</b> <span className="foreign">{detail}</span>
            </span>
          </li>
        ))}
      </ul>
      {decided.map((step) => (
        <Step key={`${step.file}:${step.line}:${step.text}`} step={step} />
      ))}
      {notes.map((note) => (
        <p key={note} className={classes['note']}>
          {note}
        </p>
      ))}
    </div>
  )
}

function Step({ step: { file, line, source, text, outcome, values } }: { readonly step: DecidedStep }) {
  return (
    <div className={classes['step']}>
      <div className={classes['place']}>
        {file}
        {line > 0 && `:${line}`}
      </div>
      <code className="foreign">{source ?? text}</code>
      <div className={classes['outcome']}>
        {text !== source && <code className="foreign">{text}</code>} is <code className="foreign">{outcome}</code>
      </div>
      {values.length > 0 && (
        <ul className={classes['values']}>
          {values.map(({ part, value }) => (
            <li key={part}>
              <code className="foreign">{part}</code> = <code className="foreign">{value}</code>
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}

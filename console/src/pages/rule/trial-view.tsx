import { CheckCircledIcon, CrossCircledIcon } from '@radix-ui/react-icons'
import type { Trial } from './rule-data.ts'
import classes from './trial-view.module.css'

/** What each unit test expected, and what happened. */
export function TrialView({ trial: { rules, problems } }: { readonly trial: Trial }) {
  return (
    <div aria-live="polite">
      {problems.map(({ file, message }) => (
        <p key={`${file} ${message}`}>
          <code>{file}</code> {message}
        </p>
      ))}
      {rules.map(({ id, tests, errors }) => (
        <div key={id}>
          {errors.map((error) => (
            <pre key={error} className={classes['diff']}>
              {error}
            </pre>
          ))}
          <ul className={classes['tests']}>
            {tests.map(({ name, passed, diff, printed }) => (
              <li key={name} data-passed={passed}>
                {passed ? <CheckCircledIcon aria-label="passed" /> : <CrossCircledIcon aria-label="failed" />}
                <div>
                  {name}
                  {diff.length > 0 && <pre className={classes['diff']}>{diff.join('\n')}</pre>}
                  {printed !== '' && <pre className={classes['diff']}>{printed}</pre>}
                </div>
              </li>
            ))}
          </ul>
          {tests.length === 0 && errors.length === 0 && 'The rule has no tests.'}
        </div>
      ))}
    </div>
  )
}
